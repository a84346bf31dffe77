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
  thought: z.string().describe("What the model said before it acted"),
  action: z.string().describe("The tool"),
  input: z.unknown().describe("What the tool was given"),
  observation: z.string().describe("What came of it; an error is one too"),
});

export const State = new StateSchema({
  messages: MessagesValue,
  steps: appending(Step, "The trace: every action and what was observed"),
  rounds: z.number().int().default(0).describe("Rounds of tools in this run"),
  stopped: z.enum(["step_limit"]).nullable().default(null).describe("Why it answered before it was done"),
  summary: z.string().default("").describe("What was said before the messages that the model still sees"),
  folded: z.number().int().default(0).describe("How many messages the summary stands for"),
  approve: z
    .array(ToolName)
    .default([])
    .describe("Tools that need approval until the next message, whatever a resuming run's context says"),
  ledger: Ledger,
});

const { fields } = State;
/** What a caller gives, and what is for a caller to see; the rest of the state is book-keeping. */
const Input = new StateSchema({ messages: fields.messages });
const Output = new StateSchema({ messages: fields.messages, steps: fields.steps, stopped: fields.stopped, ledger: fields.ledger });

export const Context = z.object({
  ...sharedContext,
  instructions: z.string().default("You solve tasks. Use a tool when it helps; answer when you know.").describe("System prompt"),
  tools: z.array(ToolName).default(["calculate", "now"]).describe("Tools that may be used"),
  approve: z.array(ToolName).default([]).describe("Tools that a person must approve each time"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
  stepLimit: z.number().int().min(1).max(50).default(10).describe("Rounds of tools after which it must answer"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("For each answer of the model"),
});

type Config = LangGraphRunnableConfig<z.input<typeof Context>>;

const contextOf = (config: Config) => Context.parse(config.context ?? {});

/**
 * A call on its way to `act`, with what the context said when the model made it. It is stored with the checkpoint, so that a run that
 * resumes asks the same question, and heeds the answer, under any context.
 */
interface Errand {
  call: Call;
  thought: string;
  /** Whether the tool was offered and whether it needs approval. Calls that older releases stored lack both. */
  isOffered?: boolean;
  needsApproval?: boolean;
}

/** A run starts counting anew, on a conversation that may be long: what leaves the window goes into the summary. */
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

/** One tool call, a task of its own: calls of one answer run side by side, and one that waits for a person holds up no other. */
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

/** What came of a call. What went wrong is an observation as well: the model sees it and can do better. */
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
    // As a call, so that the tool answers with a message that names it: clients that draw tools go by the id.
    const answer = await known.invoke({ type: "tool_call", id: call.id ?? call.name, name: call.name, args }, config);
    return ToolMessage.isInstance(answer) ? answer.text : String(answer);
  } catch (error) {
    if (isInterrupt(error)) throw error;
    config.signal?.throwIfAborted();
    return `Error: ${(error as Error).message}`;
  }
}

/** At the limit: the best answer from what was seen, and the word that it is one. */
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

/** All that the summary does not stand for: it is made at the beginning of a run, so nothing leaves while the run goes on. */
const inSight = ({ messages, folded }: typeof State.State) => messages.slice(folded);

const withSummary = (instructions: string, summary: string) =>
  summary ? `${instructions}\n\nEarlier in this conversation: ${summary}` : instructions;
const isInterrupt = (error: unknown) => error instanceof Error && error.name === "GraphInterrupt";

/** Thinks, acts, observes, until it can answer or has taken as many rounds as it may. */
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
