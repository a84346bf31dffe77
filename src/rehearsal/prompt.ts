import type { ChatRequest } from "./request.ts";

/** The parts of a conversation from which the rehearsal model, which replaces a real model in tests, makes its answer. */
export interface Prompt {
  /** The last user message and the system prompt. The answer prefers enum values that occur in this text. */
  text: string;
  /** The first paragraph of the last user message, which is the user's task. */
  task: string;
  /**
   * The text that the rehearsal model repeats in its answer. It is the last tool result, if there is one. Otherwise, it is the task without
   * the words before its last colon.
   */
  subject: string;
  /** The tool results since the last user message. */
  results: { tool: string; content: string }[];
}

/** Reads the last turn of a conversation. Shortens all texts, so that the model responds quickly even to a long prompt. */
export function readPrompt({ messages }: ChatRequest): Prompt {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const request = shorten(messages.at(asked)?.content ?? "", 20_000);
  const system = messages.find(({ role }) => role === "system" || role === "developer")?.content ?? "";
  const [paragraph = ""] = request.replace(/^task:\s*/i, "").split(/\n\s*\n/);
  const task = shorten(paragraph.replace(/\s+/g, " "), 200);
  const turn = messages.slice(asked + 1);
  const calls = turn.flatMap(({ tool_calls }) => tool_calls ?? []);
  const nameOf = (id: string | null | undefined) => calls.find((call) => call.id === id)?.function.name ?? "tool";
  const answers = turn.filter(({ role }) => role === "tool");
  const results = answers.map(({ tool_call_id: id, content }) => ({ tool: nameOf(id), content: shorten(content, 600) }));
  return { text: `${request}\n${shorten(system, 20_000)}`, task, subject: results.at(-1)?.content ?? task.replace(/^.*: /, ""), results };
}

const shorten = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text).trim();
