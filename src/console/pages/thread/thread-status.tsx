import type { Schemas } from "../../api.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";

export type Status = Schemas["Thread"]["status"];

/** The label, icon and colour for each status of a thread. The icon and the label say the same as the colour. */
export const threadStatuses: Record<Status, { label: string; icon: IconName; colour: string }> = {
  idle: { label: "Idle", icon: "check", colour: "text-muted" },
  busy: { label: "Busy", icon: "running", colour: "text-accent" },
  interrupted: { label: "Interrupted", icon: "pause", colour: "text-warn" },
  error: { label: "Failed", icon: "cross", colour: "text-bad" },
};

export function ThreadStatus({ status }: { status: Status }) {
  const { label, icon, colour } = threadStatuses[status];
  return (
    <span className={`inline-flex items-center gap-1.5 align-middle text-sm whitespace-nowrap ${colour}`}>
      <Icon name={icon} className={status === "busy" ? "size-3.5 animate-spin [animation-duration:1.6s]" : "size-3.5"} />
      {label}
    </span>
  );
}
