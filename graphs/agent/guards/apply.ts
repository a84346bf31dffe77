import { isGraphBubbleUp, type LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentRun } from "../agent-run.ts";
import { askApproval } from "../ask-human.ts";
import { rootOf } from "../failing.ts";
import type { LedgerEntry } from "../ledger.ts";
import { report } from "../progress.ts";
import { withValueAt } from "../value-at.ts";
import { asVerdict, check, type Verdict } from "./check.ts";
import { type Finder, isFinder, replaceIn } from "./find.ts";
import type { AnyGuard } from "./in-code.ts";
import type { Guard } from "./schema.ts";

/**
 * The kind of value that a guard checks. `thought` is the text that a model writes beside a tool call. `tool` is the arguments, the result
 * or the error of a tool call.
 */
export type Place = "input" | "output" | "thought" | "tool";

/** The result of all guards: the value, which guards may have changed, or the reason why it does not pass. */
export type Passed = { value: unknown; isChanged: boolean } | { reason: string; advice: string; mayRetry: boolean };

interface Guarded {
  guards: AnyGuard[];
  value: unknown;
  place: Place;
  /** The name of the tool. Set only while a guard of a tool is applied. */
  tool?: string;
  run: AgentRun;
  config: LangGraphRunnableConfig;
  /** The list to which the ledger entries of judges are added. */
  ledger: LedgerEntry[];
}

/**
 * Applies guards one after another. Guards that ask a model (judges) come last, because a guard may ask a person, and the node runs again
 * after the person's answer. A judge before the question would then ask its model twice.
 */
export async function apply({ guards, value: given, ...around }: Guarded): Promise<Passed> {
  let value = given;
  const judges = (guard: AnyGuard) => typeof guard !== "function" && guard.kind === "judge";
  for (const guard of guards.toSorted((a, b) => Number(judges(a)) - Number(judges(b)))) {
    const passed = await applyOne(guard, { value, ...around });
    if (!("value" in passed)) return passed;
    value = passed.value;
  }
  return { value, isChanged: value !== given };
}

type Around = Omit<Guarded, "guards">;

/** Applies one guard. A guard that throws blocks the value. */
async function applyOne(guard: AnyGuard, around: Around): Promise<Passed> {
  const startedAt = Date.now();
  try {
    return typeof guard === "function" ? await callFunction(guard, around, startedAt) : await settle(guard, around, startedAt);
  } catch (error) {
    const cause = rootOf(error);
    if (isGraphBubbleUp(cause) || cause.name === "BudgetExceededError") throw error;
    around.config.signal?.throwIfAborted();
    return refuse(guard, around, { startedAt, action: "block", reason: `The check failed: ${cause.message}` });
  }
}

async function callFunction(guard: Extract<AnyGuard, (...call: never[]) => unknown>, around: Around, startedAt: number): Promise<Passed> {
  const { ok, value, reason } = asVerdict(await guard(around.value));
  if (!ok) return refuse(guard, around, { startedAt, action: around.place === "output" ? "retry" : "block", reason });
  return { value: value === undefined ? around.value : value, isChanged: value !== undefined };
}

/**
 * Checks the value with one guard that is an object and not a function. If the value fails the check, takes the action in the guard's
 * `onFail`.
 */
async function settle(guard: Guard, around: Around, startedAt: number): Promise<Passed> {
  const { value, run, config, ledger } = around;
  const found = await check(guard, value, run, config);
  ledger.push(...(found.ledger ?? []));
  if (found.ok) return found.value === undefined ? { value, isChanged: false } : { value: found.value, isChanged: true };
  const onFail = around.place === "thought" && guard.onFail === "retry" ? "block" : guard.onFail;
  const verdict = { ...found, startedAt };
  if (typeof onFail !== "string") return replace(guard, onFail.replace, around, verdict);
  if (onFail !== "ask") return refuse(guard, around, { ...verdict, action: onFail });
  const { approved, reason } = askApproval(
    `${found.reason} May it be used?`,
    { guard: guard.kind, value },
    { timeoutSeconds: run.askTimeoutSeconds },
  );
  return approved ? { value, isChanged: false } : refuse(guard, around, { ...verdict, action: "ask", reason: reason ?? found.reason });
}

/** Replaces the refused part: the forbidden parts of a text, the value at the guard's path, or the whole value. */
async function replace(guard: Guard, by: string, around: Around, verdict: Verdict & { startedAt: number }): Promise<Passed> {
  const { value, run, config } = around;
  tell(guard, around, { ...verdict, action: "replace" });
  if (isFinder(guard)) {
    const replaced = await replaceIn(guard as Finder, value, by);
    const left = await check(guard, replaced, run, config);
    if (left.ok) return { value: replaced, isChanged: true };
    return refuse(guard, around, { ...verdict, action: "block", reason: `${left.reason} It cannot be replaced.` });
  }
  const { path } = guard as { path?: string };
  return { value: path === undefined ? by : withValueAt(value, path, by), isChanged: true };
}

interface Refusal extends Omit<Verdict, "ok"> {
  startedAt: number;
  action: "block" | "retry" | "replace" | "ask";
}

function refuse(guard: AnyGuard, around: Around, refusal: Refusal): Passed {
  tell(guard, around, refusal);
  const { reason, advice, action } = refusal;
  const name = nameOf(guard);
  return {
    reason: `The guardrail "${name}" refused the ${around.tool ?? around.place}: ${reason}`,
    advice: [reason, advice].filter(Boolean).join(" "),
    mayRetry: action === "retry",
  };
}

const nameOf = (guard: AnyGuard) =>
  typeof guard === "function" ? guard.name || "function" : guard.kind === "function" ? guard.name : guard.kind;

/** Emits a custom event that says which guard refused a value, and why. The event does not contain the value. */
function tell(guard: AnyGuard, { place, tool, run, config }: Around, { startedAt, action, reason }: Refusal): void {
  const details = { agent: run.agent.name, place, ...(tool !== undefined && { tool }), guard: nameOf(guard), action, reason };
  report(config, run.pattern, "guardrail", startedAt, details);
}
