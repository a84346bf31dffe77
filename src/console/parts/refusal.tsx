import { sentenceOf } from "../api.ts";
import { Icon } from "./icons.tsx";

/** Shows the service's error message about a request that a form or a dialog has sent. Shows nothing if there is no error. */
export function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <p role="alert" className="flex items-start gap-2 rounded-md bg-bad-soft px-3 py-2 text-bad">
      <Icon name="warning" className="mt-0.5" />
      <span className="min-w-0 break-words">{sentenceOf(error)}</span>
    </p>
  );
}

/** Returns the service's message about a field of the request. Returns undefined if the message is not about that field. */
export function refusalOf(error: unknown, field: string): string | undefined {
  const start = `body.${field}: `;
  const sentence = error ? sentenceOf(error) : "";
  return sentence.startsWith(start) ? sentence.slice(start.length) : undefined;
}
