import type { Schemas } from "../api.ts";
import { Icon, type IconName } from "./icons.tsx";

export type RunStatus = Schemas["FoundRun"]["status"];

/** The label, icon and colour for each status of a run. The label and the icon are enough for people who cannot see the colour. */
export const statusLooks: Record<RunStatus, { label: string; icon: IconName; colour: string }> = {
  pending: { label: "Queued", icon: "queued", colour: "text-muted" },
  running: { label: "Running", icon: "running", colour: "text-accent" },
  success: { label: "Succeeded", icon: "check", colour: "text-good" },
  error: { label: "Failed", icon: "cross", colour: "text-bad" },
  timeout: { label: "Timed out", icon: "clock", colour: "text-bad" },
  interrupted: { label: "Interrupted", icon: "pause", colour: "text-warn" },
};

export const runStatuses = Object.keys(statusLooks) as RunStatus[];

const unknown = { label: "Unknown", icon: "queued" as const, colour: "text-muted" };

/** The status of a run as an icon and a label in a colour. */
export function StatusBadge({ status }: { status: RunStatus }) {
  const { label, icon, colour } = statusLooks[status] ?? unknown;
  return (
    <span className={`inline-flex items-center gap-1.5 align-middle text-sm whitespace-nowrap ${colour}`}>
      <Icon name={icon} className={status === "running" ? "size-3.5 animate-spin [animation-duration:1.6s]" : "size-3.5"} />
      {label}
    </span>
  );
}

type Tone = "good" | "bad" | "warn" | "plain";

const tones: Record<Tone, string> = {
  good: "bg-good-soft text-good",
  bad: "bg-bad-soft text-bad",
  warn: "bg-warn-soft text-warn",
  plain: "bg-sunken text-muted",
};

/** A short label, such as a version or a state. */
export function Tag({ tone = "plain", icon, children }: { tone?: Tone; icon?: IconName; children: React.ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1 rounded-sm px-1.5 align-middle py-0.5 text-xs font-medium whitespace-nowrap ${tones[tone]}`}
    >
      {icon && <Icon name={icon} className="size-3" />}
      {children}
    </span>
  );
}
