import { AIMessage, type BaseMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { Command, getConfig, type LangGraphRunnableConfig, Overwrite } from "@langchain/langgraph";
import type { ModelRequest } from "langchain";
import { expectedCost } from "./account.ts";
import { type AgentRun, calledBy, callerOf, namesOf, purseOf } from "./agent-run.ts";
import type { AgentValues } from "./agent-state.ts";
import { callModel, type ModelCall, type ModelReply } from "./call-model.ts";
import { fitted, roomBeside } from "./compaction.ts";
import { rootOf } from "./failing.ts";
import { guardInput } from "./guards/input.ts";
import { outputGuards } from "./guards/output.ts";
import { inSight } from "./in-sight.ts";
import { knowledgeFor, taskIn, withKnowledge } from "./knowledge/knowledge.ts";
import { entryOf, type LedgerEntry } from "./ledger.ts";
import { fold } from "./memory.ts";
import { addFacts, openCall } from "./metrics/open-call.ts";
import { NoAnswer } from "./model-errors.ts";
import { openModel } from "./models.ts";
import { report } from "./progress.ts";
import { instructionOf } from "./prompt.ts";
import { tierOfTool } from "./tiers.ts";
import { callName } from "./tool-names.ts";
import { openTool } from "./tools.ts";
import { tokensOf } from "./usage.ts";

type Handler = (request: ModelRequest) => Promise<AIMessage>;

/**
 * The token usage and attempts of each model call. The key is the message of the answer, because middleware passes only the message from
 * the inner hook to the outer one.
 */
const replies = new WeakMap<AIMessage, ModelReply & { judged: LedgerEntry[] }>();

/** The ledger entries of judges that answered during a model call before the call failed. The key is the root cause of the call's error. */
const judgements = new WeakMap<object, LedgerEntry[]>();
const judgedBefore = (error: unknown): LedgerEntry[] => judgements.get(rootOf(error)) ?? [];

/**
 * Does one round of the agent. Checks the budget, shortens the conversation, and chooses the model and the tools. Then calls the model and
 * returns the state update. This is the outermost hook around a model call.
 */
export async function think(run: AgentRun, state: AgentValues, request: ModelRequest, handler: Handler): Promise<Command> {
  const { agent } = run;
  const { signal } = request.runtime;
  const turn = beginTurn(state, request.messages);
  run.resume?.(turn.ledger);
  const purse = purseOf(run, turn.ledger, getConfig());
  const started = Date.now();
  const model = await openModel(agent.model ?? run.model, agent.temperature ?? run.temperature);
  const opening = turn.isNew ? request.messages : [];
  const input = await guardInput({ ...run, ...purse }, opening, request.runtime as LangGraphRunnableConfig);
  const conversation = turn.isNew ? input.messages : request.messages;
  const isLast = turn.rounds >= agent.maxRounds;
  const config = { ...(request.runtime as LangGraphRunnableConfig), store: getConfig()?.store };
  const knowledge = turn.isNew ? await knowledgeFor(run, taskIn(conversation), config) : state._knowledge;
  const instruction = instructionOf(agent, run.constraints ?? [], run.limits);
  const room = roomBeside(agent, model, [new SystemMessage([instruction, lastWords, knowledge].join("\n"))]);
  const memory = await fold(run, model, { messages: conversation, room, ...turn }, purse, signal);
  const system = [instruction, memory.summary && `Earlier in this conversation: ${memory.summary}`, isLast && lastWords];
  const tools = isLast ? [] : [...(request.tools ?? []), ...(await openTools(run))];
  const left = { ...room, tokens: room.tokens - tokensOf([new SystemMessage(memory.summary)]) };
  const messages = withKnowledge(await fitted(inSight(conversation, memory.folded), model, left), knowledge);
  const systemMessage = new SystemMessage(system.filter(Boolean).join("\n"));
  const expected = expectedCost(calledBy(run, started), [systemMessage, ...messages], purse);
  const call = await openCall(callerOf(run), purse, expected, signal);
  const work = () => handler({ ...request, model, tools, messages, systemMessage });
  const reply = await call.during(work).catch((error: unknown) => {
    const failed = failedCall(run, started, error);
    call.end(failed);
    throw withEntries(error, [...input.ledger, ...memory.ledger, ...judgedBefore(error), ...failed]);
  });
  if (isLast) {
    keepText(reply);
    report(request.runtime, run.pattern, "step_limit", started, { agent: agent.name, stepLimit: agent.maxRounds });
  }
  const cost = replies.get(reply) ?? { judged: [], attempts: 1, usage: { inputTokens: 0, outputTokens: 0 } };
  const entry = entryOf(calledBy(run, started), "success", cost.attempts, cost.usage);
  call.end([entry]);
  run.record?.([...memory.ledger, entry]);
  const entries = [...input.ledger, ...memory.ledger, ...cost.judged, entry];
  const approve = [...new Set([...turn.approve, ...approvalsOf(run, tools as Parameters<typeof approvalsOf>[1])])];
  return new Command({
    update: {
      ...(input.replaced.length > 0 && { messages: input.replaced }),
      ...(turn.isNew && { steps: new Overwrite([]) }),
      ledger: turn.isNew ? new Overwrite(entries) : entries,
      stopped: isLast ? "step_limit" : null,
      summary: memory.summary,
      _folded: memory.folded,
      _knowledge: knowledge,
      _rounds: turn.rounds + 1,
      _offered: namesOf(run),
      _approve: approve,
      _decisions: {},
    },
  });
}

/**
 * Returns the names of the tools that need a person's approval: the tools in `agent.approve`, and the tools of tier 3, whose effect cannot
 * be undone. If another agent called this agent, the tools of tier 3 are left out, because this agent only proposes their calls.
 */
function approvalsOf({ agent, isCalled }: AgentRun, tools: { name: string }[]): string[] {
  const highest = tools.filter((tool) => tierOfTool(tool, agent) === 3).map(({ name }) => name);
  return isCalled ? agent.approve.filter((name) => !highest.includes(callName(name))) : [...agent.approve, ...highest];
}

const lastWords = "You may use no more tools. Give your best answer from what you have seen, and say what is missing.";

/** Returns the ledger entries of a model call that got no answer. The list is empty if the error occurred before the model was called. */
function failedCall(run: AgentRun, started: number, error: unknown): LedgerEntry[] {
  const cause = rootOf(error);
  return cause instanceof NoAnswer ? [entryOf(calledBy(run, started), cause.status, cause.attempts, cause.usage, cause.message)] : [];
}

/** Adds ledger entries to the error of a round, so that the entries are stored although the round fails. */
function withEntries(error: unknown, ledger: LedgerEntry[]): unknown {
  return error instanceof Error && ledger.length > 0 ? Object.assign(rootOf(error), { ledger }) && error : error;
}

/** Calls the model. This is the innermost hook, so it receives the request after middleware has changed it. */
export async function speak(
  run: AgentRun,
  { model, messages, tools, systemMessage, state }: ModelRequest,
  config: LangGraphRunnableConfig,
): Promise<AIMessage> {
  const { agent } = run;
  const started = Date.now();
  const judged: LedgerEntry[] = [];
  const { ledger } = beginTurn(state as unknown as AgentValues, state.messages);
  const guarded = { ...run, ...purseOf(run, ledger, getConfig()) };
  try {
    const reply = await callModel({
      model: model as ModelCall["model"],
      system: systemMessage.text,
      messages: messages.map(withoutName),
      tools: tools as ModelCall["tools"],
      ...(agent.output && { answer: { name: agent.name, schema: agent.output } }),
      timeoutSeconds: agent.timeoutSeconds,
      retries: agent.retries,
      ...outputGuards(guarded, config, judged),
      signal: config.signal,
    });
    replies.set(reply.message, { ...reply, judged });
    return reply.message;
  } catch (error) {
    judgements.set(rootOf(error), judged);
    if (error instanceof NoAnswer)
      run.record?.([addFacts(entryOf(calledBy(run, started), error.status, error.attempts, error.usage, error.message))]);
    throw error;
  }
}

/** Tells whether a turn begins. A message of a person begins a turn, and tool results continue it. */
export const isNewTurn = (messages: BaseMessage[]): boolean => !ToolMessage.isInstance(messages.at(-1));

/** Returns the fields of the state that belong to the current turn. A new turn resets these fields, except the summary. */
function beginTurn(state: AgentValues, messages: BaseMessage[]) {
  const isNew = isNewTurn(messages);
  const { summary, _folded: folded } = state;
  if (isNew) return { isNew, rounds: 0, ledger: [] as LedgerEntry[], approve: [] as string[], summary, folded };
  return { isNew, rounds: state._rounds, ledger: state.ledger, approve: state._approve, summary, folded };
}

async function openTools(run: AgentRun) {
  const opened = await Promise.all(run.agent.tools.map((tool) => (typeof tool === "string" ? openTool(tool, run) : tool)));
  return opened.filter((tool) => tool !== undefined);
}

/** Returns the message without its `name`, because some endpoints refuse that field. */
function withoutName(message: BaseMessage): BaseMessage {
  if (!AIMessage.isInstance(message) || message.name === undefined) return message;
  const { id, content, tool_calls, additional_kwargs, response_metadata } = message;
  return new AIMessage({ id, content, tool_calls, additional_kwargs, response_metadata });
}

/** Removes the tool calls from an answer. Some models call tools although none was offered. */
function keepText(reply: AIMessage): void {
  if (!reply.tool_calls?.length) return;
  reply.tool_calls = [];
  reply.invalid_tool_calls = [];
  reply.additional_kwargs = {};
  if (reply.text === "") reply.content = "I reached the limit of my steps before I had an answer.";
}
