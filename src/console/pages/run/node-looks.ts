import { number } from "../../parts/format.ts";
import type { IconName } from "../../parts/icons.tsx";
import { duration } from "../../parts/time.tsx";
import { dollars as money } from "./cost.ts";
import type { NodeFacts, NodeState } from "./node-states.ts";

interface Look {
  label: string;
  icon: IconName;
  text: string;
  box: string;
}

/** The label, icon and colours for each state of a node. The icon says the same as the colour. */
export const nodeLooks: Record<NodeState, Look> = {
  none: { label: "not reached", icon: "node", text: "text-muted", box: "border-line bg-surface text-muted" },
  running: { label: "running", icon: "running", text: "text-accent", box: "border-accent bg-accent-soft" },
  success: { label: "done", icon: "check", text: "text-good", box: "border-line-strong/70 bg-surface" },
  error: { label: "failed", icon: "cross", text: "text-bad", box: "border-bad bg-bad-soft" },
  interrupted: { label: "interrupted", icon: "pause", text: "text-warn", box: "border-warn bg-warn-soft" },
  unfinished: { label: "cut off", icon: "minus", text: "text-muted", box: "border-dashed border-line-strong bg-surface" },
};

/** Returns a short line with the counts, time, tokens and cost of a node. An example is "3 × · 1.2 s · 812 tok · $0.0042". */
export function factsLine({ state, count, ms, tokens, dollars }: NodeFacts): string {
  if (state === "none") return "not reached";
  const parts = [
    state === "running" || state === "interrupted" || state === "unfinished" ? nodeLooks[state].label : "",
    count > 1 ? `${number(count)}×` : "",
    count > 0 ? duration(ms) : "",
    tokens > 0 ? `${short(tokens)} tok` : "",
    dollars > 0 ? money(dollars) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}

const short = (amount: number) => (amount < 10_000 ? number(amount) : `${(amount / 1_000).toFixed(0)}k`);

/** Returns the state, the counts, the time, the tokens and the cost of a node in words. */
export function toldState({ state, count, ms, tokens, dollars }: NodeFacts): string {
  const { label } = nodeLooks[state];
  if (count === 0) return label;
  const times = count === 1 ? "once" : `${number(count)} times`;
  return `${label}, ${times}, ${duration(ms)}${tokens > 0 ? `, ${number(tokens)} tokens` : ""}${dollars > 0 ? `, ${money(dollars)}` : ""}`;
}
