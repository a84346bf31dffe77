import type { IconName } from "../../parts/icons.tsx";
import type { Attempt, Span } from "./data.ts";

type Outcome = Span["outcome"] | "running";

/** The label, icon and colours for each kind of span. */
export const kindLooks: Record<Span["kind"], { label: string; icon: IconName; text: string; bar: string }> = {
  node: { label: "Node", icon: "node", text: "text-muted", bar: "bg-line-strong" },
  model: { label: "Model call", icon: "model", text: "text-model", bar: "bg-model" },
  tool: { label: "Tool", icon: "tool", text: "text-tool", bar: "bg-tool" },
};

/** The label, icon and colours for each outcome of a span. A success has no icon. */
export const outcomeLooks: Record<Outcome, { label: string; icon?: IconName; text: string; bar?: string }> = {
  success: { label: "succeeded", text: "text-muted" },
  running: { label: "running", icon: "running", text: "text-accent", bar: "bg-accent animate-pulse" },
  error: { label: "failed", icon: "cross", text: "text-bad", bar: "bg-bad" },
  interrupted: { label: "interrupted", icon: "pause", text: "text-warn", bar: "bg-warn" },
  unfinished: { label: "cut off", icon: "minus", text: "text-muted", bar: "border border-dashed border-line-strong bg-sunken" },
};

/** The label and colour for each outcome of an attempt. */
export const attemptLooks: Record<NonNullable<Attempt["outcome"]> | "running" | "unknown", { label: string; text: string }> = {
  success: { label: "succeeded", text: "text-good" },
  error: { label: "failed", text: "text-bad" },
  timeout: { label: "timed out", text: "text-bad" },
  interrupted: { label: "interrupted", text: "text-warn" },
  released: { label: "returned to the queue", text: "text-muted" },
  lost: { label: "lost", text: "text-warn" },
  crashed: { label: "worker died", text: "text-bad" },
  running: { label: "running", text: "text-accent" },
  unknown: { label: "not recorded", text: "text-muted" },
};
