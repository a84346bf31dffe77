import type { Answer, CallToCaller, Usage } from "./answer.ts";
import type { OpenAiError } from "./errors.ts";
import type { AnswerFrames } from "./send-answer.ts";

/** The fields that a completion and all of its chunks have in common. */
interface Frame {
  id: string;
  /** The time of the request, in seconds since 1970. */
  created: number;
  model: string;
}

export function completionOf(frame: Frame, { text, calls, finish, usage }: Answer) {
  const content = text === "" && calls.length > 0 ? null : text;
  const message = { role: "assistant", content, refusal: null, ...(calls.length > 0 && { tool_calls: calls.map(toToolCall) }) };
  return {
    ...frame,
    object: "chat.completion",
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: toUsage(usage),
  };
}

/** Returns functions that write the server-sent events of a streamed chat completion. */
export function chunksOf(frame: Frame, includesUsage: boolean): AnswerFrames {
  const chunk = (choices: object[], usage: object | null = null) =>
    dataOf({ ...frame, object: "chat.completion.chunk", choices, ...(includesUsage && { usage }) });
  const delta = (part: object, finish: string | null = null) => chunk([{ index: 0, delta: part, logprobs: null, finish_reason: finish }]);
  return {
    begin: () => delta({ role: "assistant", content: "" }),
    text: (content) => delta({ content }),
    end: ({ calls, finish, usage, error }) => {
      if (error) return errorFrame(error);
      const called = calls.map((call, index) => delta({ tool_calls: [{ index, ...toToolCall(call) }] }));
      const counted = includesUsage ? [chunk([], toUsage(usage))] : [];
      return [...called, delta({}, finish), ...counted, "data: [DONE]\n\n"].join("");
    },
  };
}

const dataOf = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

const errorFrame = (error: OpenAiError) => dataOf({ error });

const toToolCall = ({ id, name, args }: CallToCaller) => ({ id, type: "function", function: { name, arguments: args } });

const toUsage = ({ input, cached, output, reasoning }: Usage) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
});
