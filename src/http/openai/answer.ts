import { z } from "zod";
import type { AnswerAssembler } from "./assembler.ts";
import { answerChanged, type OpenAiError, runFailed } from "./errors.ts";
import { sayQuestions } from "./questions.ts";

/** A tool call that the caller must execute. The arguments are JSON text. */
export interface CallToCaller {
  id: string;
  name: string;
  args: string;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface Usage {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** The complete answer to a request. */
export interface Answer {
  /** The text of the answer. If the run has stopped at questions, the text ends with these questions. */
  text: string;
  /** The part of the text that asks the run's questions, with the empty line before it. Empty if there are no questions. */
  question: string;
  calls: CallToCaller[];
  finish: FinishReason;
  usage: Usage;
  error: OpenAiError | undefined;
}

/** Returns the answer of a run whose events have all arrived. */
export function answerOf(assembler: AnswerAssembler, threadId: string | undefined): Answer {
  const { text, failure, astray, questions } = assembler;
  const asked = sayQuestions(questions, threadId);
  const question = asked === "" || text === "" ? asked : `\n\n${asked}`;
  const calls = questions.length > 0 ? [] : openCalls(assembler);
  const error = failure ? runFailed(failure) : astray === undefined ? undefined : answerChanged(astray);
  return { text: text + question, question, calls, finish: finishOf(assembler, calls), usage: usageOf(assembler), error };
}

const ToolCall = z.object({ id: z.string().nullish(), name: z.string(), args: z.unknown() });
const ToolResult = z.object({ type: z.literal("tool"), tool_call_id: z.string() });

/** Returns the tool calls in the run's last message, without those that a tool has answered. The caller must execute them. */
function openCalls({ added, state }: AnswerAssembler): CallToCaller[] {
  const last = added.at(-1);
  const answered = new Set(state.flatMap((message) => ToolResult.safeParse(message).data?.tool_call_id ?? []));
  return (last?.tool_calls ?? []).flatMap((one, index) => {
    const call = ToolCall.safeParse(one).data;
    if (!call || answered.has(call.id ?? "")) return [];
    return [{ id: call.id ?? `call_${index}`, name: call.name, args: JSON.stringify(call.args ?? {}) }];
  });
}

/** Maps the stop reasons of all providers' models to OpenAI's finish reasons. A stop reason that is missing here becomes `stop`. */
const reasons: Record<string, FinishReason> = {
  length: "length",
  max_tokens: "length",
  MAX_TOKENS: "length",
  content_filter: "content_filter",
  refusal: "content_filter",
  SAFETY: "content_filter",
};

function finishOf({ added }: AnswerAssembler, calls: CallToCaller[]): FinishReason {
  if (calls.length > 0) return "tool_calls";
  const about = added.at(-1)?.response_metadata ?? {};
  return reasons[String(about.finish_reason ?? about.stop_reason ?? about.finishReason)] ?? "stop";
}

const UsageMetadata = z.object({
  input_tokens: z.number().catch(0),
  output_tokens: z.number().catch(0),
  input_token_details: z.object({ cache_read: z.number().catch(0) }).catch({ cache_read: 0 }),
  output_token_details: z.object({ reasoning: z.number().catch(0) }).catch({ reasoning: 0 }),
});

/** Returns the total token usage of the messages that the run has added. Does not count model calls whose messages are not in the state. */
function usageOf({ added }: AnswerAssembler): Usage {
  const usages = added.flatMap(({ usage_metadata }) => UsageMetadata.safeParse(usage_metadata).data ?? []);
  const sum = (pick: (usage: z.output<typeof UsageMetadata>) => number) => usages.reduce((total, usage) => total + pick(usage), 0);
  return {
    input: sum(({ input_tokens }) => input_tokens),
    cached: sum(({ input_token_details }) => input_token_details.cache_read),
    output: sum(({ output_tokens }) => output_tokens),
    reasoning: sum(({ output_token_details }) => output_token_details.reasoning),
  };
}
