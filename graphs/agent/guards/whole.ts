import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type LangGraphRunnableConfig, Overwrite } from "@langchain/langgraph";
import type { z } from "zod";
import type { AgentRun } from "../agent-run.ts";
import type { LedgerEntry } from "../ledger.ts";
import { apply } from "./apply.ts";
import { type Finder, isFinder, replaceIn } from "./find.ts";
import { type AnyGuard, guardrailsFrom } from "./in-code.ts";
import { GuardrailTripped, guardInput } from "./input.ts";
import { neighboursOf } from "./neighbours.ts";
import { guardedBy, wholeOutputGuards } from "./present.ts";
import type { PatternGuardrails } from "./schema.ts";
import { isRecord, ledgerOf, messagesOf, plainOf, swap } from "./update.ts";

/** The guards of a whole pattern, for its input and its output. */
interface Whole {
  input: AnyGuard[];
  output: AnyGuard[];
}

/** The guards of a whole pattern that is defined in TypeScript code. Each guard is a plain object or a function. */
export type WholeInCode = Pick<Parameters<typeof guardrailsFrom>[0], "input" | "output">;

/** The part of a compiled graph's type that this file uses. LangGraph's types hide some of these fields. */
interface Built {
  builder: {
    nodes: Record<string, { runnable: { func?: NodeFunction } }>;
    edges: Set<[from: string, to: string]>;
    branches: Record<string, Record<string, { ends?: Record<string, string> }>>;
    channels: Record<string, { lc_graph_name: string }>;
    _inputRuntimeDefinition?: { shape?: object; fields?: object };
    _configRuntimeSchema?: z.ZodType;
  };
  name?: string;
}
type Values = Record<string, unknown> & { messages?: BaseMessage[]; ledger?: LedgerEntry[] };
type NodeFunction = (values: Values, config: LangGraphRunnableConfig) => Promise<unknown> | unknown;

/** The guards that were given to a graph in code. The key is `graph.builder`. */
const inCode = new WeakMap<object, Whole>();

/**
 * Makes a graph apply the given guards and those of the run's context to its input and its output. The first nodes check the input before
 * they do their work. The last nodes check the answer before it is stored. Returns the same graph.
 */
export function guarded<Graph extends object>(graph: Graph, guardrails?: WholeInCode): Graph {
  const { builder } = graph as unknown as Built;
  const isWrapped = inCode.has(builder);
  const { input, output } = guardrailsFrom(guardrails ?? {});
  const known = inCode.get(builder) ?? { input: [], output: [] };
  inCode.set(builder, { input: [...known.input, ...input], output: [...known.output, ...output] });
  usual.delete(builder);
  if (isWrapped) return graph;
  const [first, last] = [neighboursOf(builder, "to"), neighboursOf(builder, "from")];
  for (const [name, { runnable }] of Object.entries(builder.nodes)) {
    const { func } = runnable;
    if (!func) continue; // a node that is a graph applies its own guards
    runnable.func = (values, config) => {
      const guards = guardsOf(builder, config);
      const work = () => runNode({ func, values, config, guards, builder, isFirst: first.has(name), isLast: last.has(name) });
      return guards.input.length + guards.output.length > 0
        ? guardedBy([...wholeOutputGuards(), ...guards.output], work)
        : func(values, config);
    };
  }
  return graph;
}

/**
 * Caches the guards of each graph for runs whose context has no `guardrails`, because parsing a context is slow. The key is the graph's
 * `builder`.
 */
const usual = new WeakMap<object, Whole>();

function guardsOf(builder: Built["builder"], { context }: LangGraphRunnableConfig): Whole {
  const known = usual.get(builder);
  const isUsual = Object(context).guardrails === undefined;
  if (known && isUsual) return known;
  const { input, output } = inCode.get(builder) as Whole;
  const parsed = builder._configRuntimeSchema?.parse(context ?? {});
  const given: z.infer<typeof PatternGuardrails> | undefined = Object(parsed).guardrails;
  const guards = { input: [...input, ...(given?.input ?? [])], output: [...output, ...(given?.output ?? [])] };
  if (isUsual) usual.set(builder, guards);
  return guards;
}

interface Step {
  func: NodeFunction;
  values: Values;
  config: LangGraphRunnableConfig;
  guards: Whole;
  builder: Built["builder"];
  isFirst: boolean;
  isLast: boolean;
}

async function runNode({ func, values, config, guards, builder, isFirst, isLast }: Step): Promise<unknown> {
  const ledger: LedgerEntry[] = [];
  const run = await judgeRun(builder, values, config);
  const changed = isFirst && guards.input.length > 0 ? await guardValues(values, guards.input, { run, config, ledger, builder }) : {};
  const update = await func({ ...values, ...plainOf(changed, values) }, config);
  if (!isRecord(update)) return update;
  const checked = isLast ? await guardAnswer(update, guards.output, { run, config, ledger }) : update;
  return { ...changed, ...checked, ...messagesOf(changed, checked), ...ledgerOf(ledger, checked) };
}

/** Returns the settings for judges that check the input or the answer of a whole pattern. */
async function judgeRun({ _configRuntimeSchema: schema }: Built["builder"], { ledger = [] }: Values, config: LangGraphRunnableConfig) {
  // imported here, because these files import the guards
  const [{ agent }, { Budget, Limits, Models, tierOf }] = await Promise.all([import("../agent.ts"), import("../context.ts")]);
  const given = Object(schema?.safeParse(config.context ?? {}).data);
  const settings = {
    models: Models.safeParse(given.models).data ?? Models.parse({}),
    limits: Limits.safeParse(given.limits).data ?? Limits.parse({}),
    budget: Budget.safeParse(given.budget).data ?? Budget.parse({}),
    askTimeoutSeconds: given.askTimeoutSeconds ?? null,
  };
  const run = { ...tierOf(settings, "judge"), agent: agent({ name: "pattern", role: "a pattern" }), earlier: ledger };
  return { ...run, quiet: true, task: "guard", pattern: "guardrails" } satisfies AgentRun;
}

interface Around {
  run: AgentRun;
  config: LangGraphRunnableConfig;
  ledger: LedgerEntry[];
}

/** Checks the input of the pattern. Returns the values that guards have replaced. Throws if a value does not pass. */
async function guardValues(values: Values, guards: AnyGuard[], { builder, ...around }: Around & Pick<Step, "builder">) {
  const { messages = [], task, ...others } = values;
  const run = {
    ...around.run,
    agent: { ...around.run.agent, guardrails: { input: guards, output: [], tool: {}, maxRetries: 0 } },
    earlier: [],
  };
  const guard = async (given: BaseMessage[]) => {
    const { messages: passed, replaced, ledger } = await guardInput(run, given, around.config);
    around.ledger.push(...ledger);
    return { passed, replaced };
  };
  const changed: Record<string, unknown> = {};
  if (typeof task === "string") {
    const { passed, replaced } = await guard([new HumanMessage(task)]);
    if (replaced.length > 0) changed.task = passed[0]?.text;
  } else {
    const { replaced } = await guard(messages);
    if (replaced.length > 0) changed.messages = replaced;
  }
  const { shape, fields } = builder._inputRuntimeDefinition ?? {};
  for (const key of Object.keys(shape ?? fields ?? {}).filter((one) => others[one] !== undefined && others[one] !== null)) {
    const passed = await apply({ guards: guards.filter(isFound), value: others[key], place: "input", ...around });
    if (!("value" in passed)) throw new GuardrailTripped(passed.reason);
    if (!passed.isChanged) continue;
    changed[key] = builder.channels[key]?.lc_graph_name === "LastValue" ? passed.value : new Overwrite(passed.value as never);
  }
  return changed;
}

/** Tells whether a guard forbids parts of a text. Such a guard can check values of any form. */
const isFound = (guard: AnyGuard): guard is Finder => typeof guard !== "function" && isFinder(guard);

/** Checks the answer that the last node adds to the messages. Returns the update with the guarded answer. */
async function guardAnswer(update: Record<string, unknown>, guards: AnyGuard[], around: Around): Promise<Record<string, unknown>> {
  const messages = [update.messages ?? []].flat() as BaseMessage[];
  const answer = messages.findLast((message) => AIMessage.isInstance(message));
  if (!answer || guards.length === 0) return update;
  const { text } = answer;
  const passed = await apply({ guards, value: text, place: "output", ...around });
  if (!("value" in passed)) throw Object.assign(new GuardrailTripped(passed.reason), around.ledger.length > 0 && { ledger: around.ledger });
  const { messages: _, ledger, ...others } = update;
  const swapped = passed.isChanged ? swap(others, text, String(passed.value)) : others;
  let clean: unknown = swapped;
  for (const guard of guards.filter(isFound))
    if (typeof guard.onFail !== "string") clean = await replaceIn(guard, clean, guard.onFail.replace);
  const spoken = messages.map((one) =>
    one === answer && passed.isChanged ? new AIMessage({ id: one.id, content: String(passed.value) }) : one,
  );
  return { ...(clean as object), ...(ledger !== undefined && { ledger }), messages: spoken };
}
