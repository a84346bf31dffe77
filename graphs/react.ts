import { SystemMessage, ToolMessage } from "@langchain/core/messages";
import {
  END,
  type GraphNode,
  type LangGraphRunnableConfig,
  MessagesValue,
  Overwrite,
  Send,
  START,
  StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import { z } from "zod";
import { AskTimeout, askApproval } from "./kit/ask-human.ts";
import { chat } from "./kit/chat.ts";
import { AllowedHosts, mostSuperSteps, sharedContext } from "./kit/context.ts";
import { enforceBudget, Ledger } from "./kit/ledger.ts";
import { asTranscript, leavingWindow } from "./kit/memory.ts";
import { report } from "./kit/progress.ts";
import { appending } from "./kit/state.ts";
import { type Call, callsOf, keepBrokenCalls } from "./kit/tool-calls.ts";
import { openTools, ToolName } from "./kit/tools.ts";

const Step = z.object({
  thought: z.string().describe("Text of the model before the call"),
  action: z.string().describe("Name of the tool"),
  input: z.unknown().describe("Arguments of the tool"),
  observation: z.string().describe("Result of the tool, or its error"),
});

export const State = new StateSchema({
  messages: MessagesValue,
  steps: appending(Step, "The trace: every action and what was observed"),
  rounds: z.number().int().default(0).describe("Rounds of tool calls in this run"),
  stopped: z.enum(["step_limit"]).nullable().default(null).describe("Reason of an early answer"),
  summary: z.string().default("").describe("Summary of the messages that the model no longer sees"),
  folded: z.number().int().default(0).describe("Number of messages in the summary"),
  approve: z
    .array(ToolName)
    .default([])
    .describe("Tools that need approval until the next message, whatever a resuming run's context says"),
  ledger: Ledger,
});

const { fields } = State;
/** The fields that a caller gives or sees. The rest of the state is internal. */
const Input = new StateSchema({ messages: fields.messages });
const Output = new StateSchema({ messages: fields.messages, steps: fields.steps, stopped: fields.stopped, ledger: fields.ledger });

export const Context = z.object({
  ...sharedContext,
  instructions: z.string().default("You solve tasks. Use a tool when it helps; answer when you know.").describe("System prompt"),
  tools: z.array(ToolName).default(["calculate", "now"]).describe("Tools that may be used"),
  approve: z.array(ToolName).default([]).describe("Tools that need a person's approval each time"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
  stepLimit: z.number().int().min(1).max(50).default(10).describe("Rounds of tool calls after which the model must answer"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
});

type Config = LangGraphRunnableConfig<z.input<typeof Context>>;

const contextOf = (config: Config) => Context.parse(config.context ?? {});

/**
 * A call on its way to `act`, with the context's settings at the time of the call. It is stored in the checkpoint. A run that resumes
 * under any other context asks the same question and follows the answer.
 */
interface Errand {
  call: Call;
  thought: string;
  /** Tells whether the tool was offered and whether it needs approval. Calls that older releases stored lack both. */
  isOffered?: boolean;
  needsApproval?: boolean;
}

/** Resets the counters when a run starts. Messages that leave the window go into the summary. */
const begin: GraphNode<typeof State, z.input<typeof Context>> = async ({ messages, summary, folded }, config) => {
  const { models, budget, timeoutSeconds, approve } = contextOf(config);
  const leaving = leavingWindow(messages, folded);
  const fresh = { rounds: 0, stopped: null, approve, steps: new Overwrite([]), ledger: new Overwrite([]) };
  if (leaving.length === 0) return fresh;
  const { reply, entry } = await chat(
    {
      caller: "memory",
      model: models.worker,
      temperature: models.temperature,
      messages: [
        {
          role: "system",
          content:
            "Fold the new messages into the summary. Keep names, numbers, decisions and open questions. Answer with the summary only.",
        },
        { role: "user", content: `Summary so far: ${summary || "(none)"}\n\nNew messages:\n${asTranscript(leaving)}` },
      ],
      timeoutSeconds,
      budget,
    },
    { ...config, tags: [...(config.tags ?? []), "nostream"] },
  );
  return { ...fresh, summary: reply.text, folded: folded + leaving.length, ledger: new Overwrite([entry]) };
};

const think: GraphNode<typeof State, z.input<typeof Context>> = async (state, config) => {
  const { models, budget, instructions, tools, approve, allowedHosts, timeoutSeconds } = contextOf(config);
  enforceBudget(state.ledger, budget);
  const messages = [new SystemMessage(withSummary(instructions, state.summary)), ...inSight(state)];
  const call = {
    caller: "react",
    model: models.worker,
    temperature: models.temperature,
    messages,
    tools: openTools(tools, allowedHosts),
    timeoutSeconds,
    budget,
  };
  const { reply, entry } = await chat(call, config);
  const asked = [...new Set([...state.approve, ...approve])];
  return { messages: [keepBrokenCalls(reply)], ledger: [entry], rounds: state.rounds + 1, approve: asked };
};

/** Runs one tool call as its own task. Calls of one answer run in parallel, and one that waits for a person does not block the others. */
async function act(errand: Errand, config: Config) {
  const { call, thought } = errand;
  const startedAt = Date.now();
  const observation = await observe(errand, config);
  report(config, "react", "tool", startedAt, { tool: call.name });
  return {
    messages: [new ToolMessage({ content: observation, tool_call_id: call.id ?? call.name, name: call.name })],
    steps: [{ thought, action: call.name, input: call.broken ?? call.args, observation }],
  };
}

/** Returns the result of a call. An error is also an observation, so that the model can correct itself. */
async function observe({ call, ...errand }: Errand, config: Config): Promise<string> {
  const { tools, approve, allowedHosts, askTimeoutSeconds } = contextOf(config);
  const { isOffered = names(tools, call), needsApproval = names(approve, call) } = errand;
  const [known] = isOffered ? openTools([ToolName.parse(call.name)], allowedHosts, askTimeoutSeconds) : [];
  if (!known) return `Error: there is no tool "${call.name}"; there are ${tools.join(", ")}.`;
  if (call.broken !== undefined) return `Error: the arguments are not JSON: ${call.broken}`;
  let args = call.args;
  if (needsApproval) {
    const { approved, reason, edited } = askApproval(
      `May ${call.name} be used?`,
      { tool: call.name, args },
      { action: { name: call.name, args }, timeoutSeconds: askTimeoutSeconds },
    );
    if (!approved) return `Refused by a person${reason ? `: ${reason}` : "."}`;
    args = edited ?? args;
  }
  try {
    // Passed as a call, so that the tool's message carries its id. Clients match tool results by it.
    const answer = await known.invoke({ type: "tool_call", id: call.id ?? call.name, name: call.name, args }, config);
    return ToolMessage.isInstance(answer) ? answer.text : String(answer);
  } catch (error) {
    if (isInterrupt(error)) throw error;
    config.signal?.throwIfAborted();
    return `Error: ${(error as Error).message}`;
  }
}

/** Answers from what is known when the limit is reached, and says that the limit stopped it. */
const conclude: GraphNode<typeof State, z.input<typeof Context>> = async (state, config) => {
  const { models, budget, instructions, timeoutSeconds, stepLimit } = contextOf(config);
  const unanswered = callsOf(state.messages).map(
    ({ id, name }) => new ToolMessage({ content: "Not done: the limit of steps is reached.", tool_call_id: id ?? name, name }),
  );
  const messages = [
    new SystemMessage(
      `${withSummary(instructions, state.summary)}\nYou may use no more tools. Give your best answer from what you have seen, and say what is missing.`,
    ),
    ...inSight(state),
    ...unanswered,
  ];
  const { reply, entry } = await chat(
    { caller: "react", model: models.worker, temperature: models.temperature, messages, timeoutSeconds, budget },
    config,
  );
  report(config, "react", "step_limit", Date.now(), { stepLimit });
  return { messages: [...unanswered, reply], ledger: [entry], stopped: "step_limit" as const };
};

function nextMove({ messages, rounds, approve }: typeof State.State, config: Config): Send[] | "conclude" | typeof END {
  const calls = callsOf(messages);
  if (calls.length === 0) return END;
  const { stepLimit, tools } = contextOf(config);
  if (rounds > stepLimit) return "conclude";
  const thought = messages.at(-1)?.text ?? "";
  return calls.map((call) => {
    const errand: Errand = { call, thought, isOffered: names(tools, call), needsApproval: names(approve, call) };
    return new Send("act", errand);
  });
}

const names = (tools: ToolName[], call: Call) => tools.some((name) => name === call.name);

/** Returns the messages after the summary. The summary is made when a run begins, so no message leaves while the run goes on. */
const inSight = ({ messages, folded }: typeof State.State) => messages.slice(folded);

const withSummary = (instructions: string, summary: string) =>
  summary ? `${instructions}\n\nEarlier in this conversation: ${summary}` : instructions;
const isInterrupt = (error: unknown) => error instanceof Error && error.name === "GraphInterrupt";

/** Thinks, acts and observes until it can answer or reaches its limit of rounds. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("begin", begin)
  .addNode("think", think)
  .addNode("act", act)
  .addNode("conclude", conclude)
  .addEdge(START, "begin")
  .addEdge("begin", "think")
  .addConditionalEdges("think", nextMove, ["act", "conclude", END])
  .addEdge("act", "think")
  .addEdge("conclude", END)
  .compile({ name: "react" })
  .withConfig({ recursionLimit: mostSuperSteps });
