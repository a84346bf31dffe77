import { setTimeout as sleep } from "node:timers/promises";
import { type LangGraphRunnableConfig, Overwrite, Send } from "@langchain/langgraph";
import {
  type AgentData,
  askAnswer,
  asText,
  beginTask,
  budgetLeft,
  type Code,
  type Doing,
  enforceBudget,
  perform,
  report,
  type Surroundings,
} from "ensemble/patterns";
import { circleIn, Exchange, messagesFor } from "./deliver.ts";
import { human, turnFor, user } from "./message.ts";
import type { BusValues, TurnDone } from "./state.ts";

export type Config = LangGraphRunnableConfig;

/** An agent on the bus: its name, its role, and the work that it does for its messages. */
export interface Subscriber {
  name: string;
  role: string;
  do: Doing;
}

/** The agents, priorities and limits of a run, from the options in code and the context of the run. */
export interface Rules {
  subscribers: Subscriber[];
  agents: AgentData[];
  entry: string;
  priorities: Record<string, number>;
  ackSeconds: number;
  replySeconds: number;
  maxMessages: number;
  onFailures: "ask" | "partial";
  context: Surroundings["context"];
}

export interface Setup {
  name: string;
  code: Code;
  rulesOf(config: Config): Rules;
}

/** The input of the node `turn`, in which one agent handles the messages with these ids. */
interface Errand {
  subscriber: Subscriber;
  ids: string[];
  input: unknown;
  notes: string[];
  stage: number;
  budget: Surroundings["context"]["budget"];
}

const namesOf = ({ subscribers }: Rules) => subscribers.map(({ name }) => name);

/** Begins a run by sending the task as the user's request to the first agent. */
export const begin = (setup: Setup) => (state: BusValues, config: Config) => {
  const rules = setup.rulesOf(config);
  const first = beginTask(state);
  const exchange = new Exchange({ ...state, inboxes: {}, open: [], helps: [], ended: [], log: [] }, namesOf(rules));
  exchange.send({ from: user, to: rules.entry, type: "REQUEST", payload: first.task });
  const { log, receipts, ...rest } = exchange.changes;
  return {
    ...{ ...first, ...rest, log: new Overwrite(log), receipts: new Overwrite(receipts), deadlocks: new Overwrite([]) },
    ...{ turns: new Overwrite([]), times: new Overwrite([]), ledger: new Overwrite([]), accepted: false, advice: "", asked: 0 },
  };
};

/** Lets one agent handle its messages. The agent must finish within `ackSeconds`, the time limit for an acknowledgement. */
export const turn = (setup: Setup) => async (sent: Errand, config: Config) => {
  const { agents, ackSeconds, context, ...rules } = setup.rulesOf(config);
  const { subscriber, ids, stage, budget, input, notes } = sent;
  const startedAt = Date.now();
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const shape = () => turnFor(rules.subscribers.map(({ name }) => name).filter((name) => name !== subscriber.name));
  const errand = { name: subscriber.name, do: subscriber.do, input, notes, timeoutSeconds: ackSeconds, speaks: false, shape };
  const outcome = await perform(errand, { pattern: setup.name, code: setup.code, agents, context: { ...context, budget } }, config);
  report(config, setup.name, "turn", startedAt, { agent: subscriber.name, messages: ids, status: outcome.status });
  const { ledger, ...done } = outcome;
  return {
    turns: [{ ...done, agent: subscriber.name, ids } satisfies TurnDone],
    times: [{ agent: subscriber.name, ids, startedAt, endedAt: Date.now() }],
    ledger,
  };
};

/**
 * Ends a step: acknowledges or redelivers messages, and puts new messages into the inboxes. It also ends an agent's wait for a reply if the
 * reply is overdue or cannot come.
 */
export const deliver = (setup: Setup) => (state: BusValues, config: Config) => {
  const rules = setup.rulesOf(config);
  const exchange = new Exchange(state, namesOf(rules));
  exchange.dropRepeated();
  const inOrder = state.turns.toSorted((one, other) => (one.agent < other.agent ? -1 : 1));
  for (const done of inOrder) exchange.take(done, state.log);
  const deadlock = endWaits(exchange, rules);
  for (const { payload: _, ...message } of exchange.changes.log) report(config, setup.name, "message", Date.now(), message);
  return { ...exchange.changes, turns: new Overwrite([]), deadlocks: deadlock ? [deadlock] : [] };
};

/**
 * Ends waits for replies. A sender gets a notice if its request is overdue or cannot be answered any more. If agents wait for each other in
 * a circle, the request of the agent with the lowest priority is refused.
 */
function endWaits(exchange: Exchange, { subscribers, replySeconds, priorities }: Rules) {
  const { changes } = exchange;
  const isOverdue = (at: string) => Date.now() - Date.parse(at) > replySeconds * 1_000;
  for (const one of changes.open.filter(({ message }) => message.type === "REQUEST" && isOverdue(message.at)))
    exchange.giveUp(one, "UNDELIVERED", `There was no reply within ${replySeconds} s.`);
  const isAnybodyDue = subscribers.some(({ name }) => messagesFor(name, changes).length > 0);
  if (isAnybodyDue || changes.helps.length > 0 || changes.open.length === 0) return undefined;
  const circle = circleIn(changes.open);
  if (circle.length === 0) {
    for (const one of changes.open) exchange.giveUp(one, "UNDELIVERED", `"${one.message.to}" did not reply.`);
    return undefined;
  }
  const priorityOf = ({ message: { from } }: (typeof circle)[number]) => priorities[from] ?? 0;
  const sorted = circle.toSorted((one, other) => priorityOf(one) - priorityOf(other) || (one.message.from < other.message.from ? 1 : -1));
  const [refused] = sorted;
  if (!refused) return undefined;
  const agents = circle.map(({ message }) => message.from).toSorted();
  exchange.giveUp(refused, "REFUSED", `Deadlock: ${agents.join(" and ")} wait for each other.`);
  return { agents, refused: refused.message.from };
}

const deadIn = ({ receipts }: BusValues) => receipts.filter(({ outcome, deliveries }) => outcome === "dead" && deliveries > 0);

/** Returns the next nodes after a step: turns, a call for help, a question about failures, or the end. */
export const next = (setup: Setup) => (state: BusValues, config: Config) => {
  const rules = setup.rulesOf(config);
  const { context, maxMessages, onFailures } = rules;
  if (state.accepted || state.log.length >= maxMessages) return "conclude";
  if (deadIn(state).length - state.asked >= context.limits.failures) return onFailures === "ask" ? "askAboutFailures" : "conclude";
  const due = rules.subscribers.filter(({ name }) => messagesFor(name, state).some(({ isHandled }) => !isHandled));
  if (due.length === 0) {
    const isRepeated = Object.values(state.inboxes).some((inbox) => inbox.some(({ isHandled }) => isHandled));
    return isRepeated ? "deliver" : state.helps.length > 0 ? "askHuman" : "conclude";
  }
  enforceBudget(state.ledger, context.budget);
  const budget = budgetLeft(state.ledger, context.budget);
  return due.slice(0, context.limits.parallel).map((subscriber, stage) => {
    return new Send("turn", { ...turnOf(subscriber, rules, state), stage, budget } satisfies Errand);
  });
};

function turnOf(subscriber: Subscriber, { subscribers }: Rules, state: BusValues): Omit<Errand, "stage" | "budget"> {
  const { name } = subscriber;
  const got = messagesFor(name, state).filter(({ isHandled }) => !isHandled);
  const messages = got.map(({ message: { id, from, type, payload, correlationId }, deliveries }) => ({
    ...{ id, from, type, payload, correlationId, delivery: deliveries + 1 },
  }));
  const agents = subscribers.filter((one) => one.name !== name).map((one) => ({ name: one.name, role: one.role }));
  const error = got.find((delivery) => delivery.error !== undefined)?.error;
  const notes = [state.advice, error === undefined ? "" : `The last try failed: ${error}`].filter((note) => note !== "");
  return { subscriber, ids: got.map(({ message }) => message.id), notes, input: { you: name, agents, messages } };
}

const shownMessages = 10;

/** Asks a person for help on behalf of an agent, and shows the person the last messages of that agent. */
export const askHuman = (setup: Setup) => (state: BusValues, config: Config) => {
  const [help] = state.helps;
  if (!help) return {};
  const rules = setup.rulesOf(config);
  const { askTimeoutSeconds: timeoutSeconds = null } = rules.context;
  const recent = state.log.filter(({ from, to }) => from === help.from || to === help.from).slice(-shownMessages);
  const answer = askAnswer(`${help.from} needs help: ${asText(help.payload)}`, undefined, {
    details: { messages: recent },
    timeoutSeconds,
  });
  const exchange = new Exchange({ ...state, helps: state.helps.slice(1) }, namesOf(rules));
  const payload = answer ?? "timed out";
  exchange.send({ from: human, to: help.from, type: "COMPLETE", payload, correlationId: help.correlationId });
  return exchange.changes;
};

/**
 * Asks a person what to do about too many dead letters. The person may redeliver them, with or without new instructions, or accept the
 * result so far.
 */
export const askAboutFailures = (setup: Setup) => (state: BusValues, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.rulesOf(config).context;
  const dead = deadIn(state).slice(state.asked);
  const prompt = `${state.log.length} messages so far; not delivered: ${dead.map(({ id, to, reason }) => `${id} to ${to} (${reason})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
  const advice = choice === "adjust" ? askAnswer("What should be done differently?", undefined, { timeoutSeconds }) : state.advice;
  if (choice === undefined || choice === "accept" || advice === undefined) return { accepted: true };
  const inboxes = { ...state.inboxes };
  for (const { id, to } of dead) {
    const message = state.log.find((one) => one.id === id);
    if (message && !state.ended.includes(to)) inboxes[to] = [...(inboxes[to] ?? []), { message, deliveries: 0 }];
  }
  return { inboxes, advice, asked: deadIn(state).length };
};
