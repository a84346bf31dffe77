import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  AllowedHosts,
  AskTimeout,
  answerWith,
  asAgent,
  asText,
  type Code,
  type Facts,
  type FailedItem,
  guarded,
  type Member,
  measured,
  mostSuperSteps,
  type Piece,
  patternContext,
  Roster,
  reportFailedItems,
  type StepFunction,
  taskInput,
} from "ensemble/patterns";
import { z } from "zod";
import { user } from "./bus/message.ts";
import { askAboutFailures, askHuman, begin, type Config, deliver, next, type Setup, type Subscriber, turn } from "./bus/nodes.ts";
import { type BusValues, busState } from "./bus/state.ts";

const prompt = `Handle your messages. You may send messages to the other agents.
- REQUEST: you need something from an agent. You then wait for its reply.
- DISCOVERY: you found something that matters to another agent.
- ALERT: a problem that must be handled before anything else.
- COMPLETE: your work is finished. To reply to a message, send COMPLETE to its sender, with its id as replyTo.
- HELP: you need a person. The receiver does not matter.
Reply to every REQUEST once you can. Send nothing if nothing is left to say.`;

const State = new StateSchema({
  ...busState,
  status: z.enum(["running", "answered", "quiescent", "limit", "failures"]).default("running").describe("Why the run ended"),
  output: z.unknown().default(null).describe("Reply to the task"),
  latency: z
    .object({ meanMs: z.number().describe("Mean"), maxMs: z.number().describe("Longest") })
    .nullable()
    .default(null)
    .describe("Time from sending a message to its acknowledgement"),
});
const { status, output, log, receipts, deadlocks, ended, latency, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, log, receipts, deadlocks, ended, latency, ledger, metrics, messages });

const seconds = z.number().positive().max(86_400);
const shape = {
  agents: Roster.min(2).max(50).optional().describe("Agents on the bus. Default: a coordinator, a researcher and a critic"),
  entry: z.string().optional().describe("Agent that gets the task. Default: the first one"),
  priorities: z.record(z.string(), z.number()).default({}).describe("Priorities of agents. In a deadlock, the lowest one gives way"),
  ackSeconds: seconds.default(30).describe("Time limit of a turn. Messages of a longer one are delivered again, three times at most"),
  replySeconds: seconds.default(120).describe("Time after which a request counts as not answered"),
  maxMessages: z.number().int().min(2).max(1_000).default(100).describe("Messages after which the run ends"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many dead letters: ask a person, or end with what there is"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};

function contextFor(own: Subscriber[], defaults: object) {
  return patternContext(shape, defaults, [], ({ agents, entry, priorities }) => {
    const names = ((agents as Subscriber[] | undefined) ?? own).map(({ name }) => name);
    const unknown = (name: string) => `there is no agent "${name}"; there are ${names.join(", ")}`;
    const wrong = Object.keys(Object(priorities)).filter((name) => !names.includes(name));
    const problems = wrong.map((name) => ({ path: ["priorities", name], message: unknown(name) }));
    return typeof entry === "string" && !names.includes(entry) ? [...problems, { path: ["entry"], message: unknown(entry) }] : problems;
  });
}

/** An agent whose messages are handled by the function `turn`. The function returns `{ send, acks, done }`. */
export interface BusFunction {
  name: string;
  role?: string;
  turn: StepFunction;
}

/** The options of `bus`: the agents and functions on the bus, and new defaults for the context of the runs. */
export interface BusOptions extends Omit<z.input<ReturnType<typeof contextFor>>, "agents"> {
  agents?: (Member | BusFunction)[];
  name?: string;
  description?: string;
}

const usualAgents: Member[] = [
  {
    name: "coordinator",
    role: "a coordinator",
    instructions: "Ask the researcher and the critic, then reply to the user with the answer.",
  },
  { name: "researcher", role: "a researcher" },
  { name: "critic", role: "a critical reader" },
];

function subscriberInCode(member: Member | BusFunction, code: Code): Subscriber {
  const own = "turn" in member ? undefined : asAgent(member);
  const { name, role = "a function of the code" } = own ?? (member as BusFunction);
  code.set(name, own ?? (member as BusFunction).turn);
  return { name, role, do: own ? { agent: name, task: prompt } : { code: name } };
}

/** Returns a graph in which agents send messages to each other. The messages are delivered, acknowledged and kept in a log. */
export function bus({ agents, name = "bus", description, ...defaults }: BusOptions = {}) {
  const code: Code = new Map();
  const own = (agents ?? usualAgents).map((member) => subscriberInCode(member, code));
  const context = contextFor(own, defaults);
  const setup: Setup = {
    ...{ name, code },
    rulesOf(config) {
      const { agents: sent, ...rules } = context.parse(config.context ?? {});
      const subscribers = sent?.map(({ name, role }) => ({ name, role, do: { agent: name, task: prompt } })) ?? own;
      return { ...rules, subscribers, agents: sent ?? [], entry: rules.entry ?? subscribers[0]?.name ?? "", context: rules };
    },
  };
  const conclude = (state: BusValues, config: Config) => {
    reportFailedItems(config, failedMessages(state));
    return concludeWith(state, setup.rulesOf(config).maxMessages);
  };
  const ways = ["turn", "deliver", "askHuman", "askAboutFailures", "conclude"] as ("turn" | "deliver" | "askHuman" | "conclude")[];
  return measured(
    guarded(
      new StateGraph({ state: State, input: taskInput({}), output: Output, context })
        .addNode("begin", begin(setup))
        .addNode("turn", turn(setup))
        .addNode("deliver", deliver(setup))
        .addNode("askHuman", askHuman(setup))
        .addNode("askAboutFailures", askAboutFailures(setup))
        .addNode("conclude", conclude)
        .addEdge(START, "begin")
        .addConditionalEdges("begin", next(setup), ["turn", "conclude"])
        .addEdge("turn", "deliver")
        .addConditionalEdges("deliver", next(setup), ways)
        .addConditionalEdges("askHuman", next(setup), ways)
        .addConditionalEdges("askAboutFailures", next(setup), ways)
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
    factsOf,
  ).withConfig({ recursionLimit: mostSuperSteps * 5 });
}

/**
 * Returns the messages that their receivers failed to handle. Each item has the input and the context for a run that gives the message to
 * its receiver as a task.
 */
function failedMessages({ receipts, log }: BusValues): FailedItem[] {
  const last = new Map(receipts.map((receipt) => [`${receipt.id} to ${receipt.to}`, receipt]));
  const dead = [...last].filter(([, { outcome, deliveries }]) => outcome === "dead" && deliveries > 0);
  return dead.map(([item, { id, to, reason, deliveries }]) => {
    const task = asText(log.find((message) => message.id === id)?.payload ?? "");
    return { kind: "message", item, error: reason, attempts: deliveries, input: { task }, context: { entry: to } };
  });
}

/**
 * Returns the turns of a run as pieces of work, for the metric `criticalPathMs`. A turn depends on the earlier turns in which its messages
 * were sent. A message was sent in the last turn of its sender that had ended by that time.
 */
function piecesIn({ times, log }: BusValues): Piece[] {
  const sent = new Map(log.map((message) => [message.id, message]));
  const senderOf = (id: string) => {
    const { from, at = "" } = sent.get(id) ?? {};
    return times.findLastIndex(({ agent, endedAt }) => agent === from && endedAt <= Date.parse(at));
  };
  return times.map(({ ids, ...span }, index) => {
    const senders = ids.map(senderOf).filter((sender) => sender >= 0 && sender !== index);
    return { id: String(index), needs: senders.map(String), span };
  });
}

/** Returns the turns, the latencies of the acknowledged messages and the number of deadlocks, for the metrics of the run. */
function factsOf(state: BusValues): Facts {
  const { receipts, deadlocks } = state;
  const acked = receipts.filter(({ outcome }) => outcome === "acked");
  return { pieces: piecesIn(state), latenciesMs: acked.map(({ latencyMs }) => latencyMs), deadlocks: deadlocks.length };
}

/** Returns the last state update of a run: its status and its answer, which is the last message to the user. */
function concludeWith({ log, receipts, inboxes, accepted }: BusValues, maxMessages: number) {
  const output = log.findLast(({ to }) => to === user)?.payload ?? null;
  const isQuiet = Object.values(inboxes).every((inbox) => inbox.length === 0);
  const dead = receipts.findLast(({ outcome }) => outcome === "dead");
  const ended = output !== null ? ("answered" as const) : log.length >= maxMessages ? ("limit" as const) : undefined;
  const status = ended ?? (accepted || !isQuiet || (dead && dead.deliveries > 0) ? ("failures" as const) : ("quiescent" as const));
  const times = receipts.filter(({ outcome }) => outcome === "acked").map(({ latencyMs }) => latencyMs);
  const mean = Math.round(times.reduce((sum, one) => sum + one, 0) / Math.max(1, times.length));
  const problem = dead ? `A message to ${dead.to} could not be delivered: ${dead.reason}` : "Nobody replied.";
  return {
    ...{ status, output, latency: times.length === 0 ? null : { meanMs: mean, maxMs: Math.max(...times) } },
    messages: answerWith(output === null ? problem : asText(output)),
  };
}

export const graph = bus();
