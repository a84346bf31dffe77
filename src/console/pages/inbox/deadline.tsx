import { Icon } from "../../parts/icons.tsx";
import { Tag } from "../../parts/status.tsx";
import { exactTime, relative, useNow } from "../../parts/time.tsx";

/** A deadline counts as near if it is at most this many milliseconds away. */
const nearMs = 15 * 60_000;

/** The time until the run continues without an answer to the question. A near deadline is marked by an icon, a word and a colour. */
export function Deadline({ time }: { time: string }) {
  const at = Date.parse(time);
  const left = at - Date.now();
  const now = useNow(left < nearMs + 60_000 ? 1_000 : 30_000);
  const title = `Continues without an answer: ${exactTime(time)}`;
  if (at <= now)
    return (
      <span title={title}>
        <Tag tone="bad" icon="warning">
          Time is up
        </Tag>
      </span>
    );
  const text = relative(at, now).replace(/^in /, "");
  if (at - now < nearMs)
    return (
      <span title={title}>
        <Tag tone="warn" icon="warning">
          Due soon: {text}
        </Tag>
      </span>
    );
  return (
    <span title={title} className="inline-flex items-center gap-1 text-xs whitespace-nowrap text-muted">
      <Icon name="clock" className="size-3" />
      {text} left
    </span>
  );
}
