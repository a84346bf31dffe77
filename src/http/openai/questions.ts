import { z } from "zod";
import type { OpenQuestion } from "../../threads/questions.ts";
import type { AskedQuestion } from "./assembler.ts";

/**
 * The fields of a question that a person can read. The questions of our ready-made graphs and of LangChain's middleware use some of these
 * fields.
 */
const Readable = z.looseObject({
  type: z.string().optional().catch(undefined),
  prompt: z.string().optional().catch(undefined),
  question: z.string().optional().catch(undefined),
  description: z.string().optional().catch(undefined),
  options: z.array(z.string()).optional().catch(undefined),
  details: z.unknown().optional(),
  action_requests: z
    .array(z.looseObject({ name: z.string(), args: z.unknown().optional() }))
    .optional()
    .catch(undefined),
});

type Readable = z.output<typeof Readable>;

/**
 * Returns a run's questions as a text for the assistant's answer. `thread` is the id of the run's thread, or undefined for a temporary
 * thread.
 */
export function sayQuestions(questions: AskedQuestion[], thread: string | undefined): string {
  const [first] = questions;
  if (!first) return "";
  const rest = questions.length > 1 ? `\n\nThere are ${questions.length} questions. Answer this one first.` : "";
  const how =
    thread === undefined
      ? "This conversation has no thread, so the question cannot be answered. Send the header x-thread-id with each request."
      : "Your next message answers this question.";
  return `${sayQuestion(first.value)}${rest}\n\n${how}`;
}

function sayQuestion(value: unknown): string {
  const read = Readable.safeParse(value).data;
  if (!read) return typeof value === "string" ? value : asJson(value);
  const prompt = read.prompt ?? read.question ?? read.description;
  if (prompt === undefined && !read.action_requests) return asJson(value);
  const about = read.action_requests?.map(({ name, args }) => ({ name, args })) ?? read.details;
  return [
    prompt ?? "May these tools be used?",
    ...(about === undefined ? [] : [asJson(about)]),
    ...(read.options?.length ? [read.options.map((option, index) => `${index + 1}. ${option}`).join("\n")] : []),
    ...(isApproval(read) ? ['Answer "yes", or "no" with a reason.'] : []),
  ].join("\n\n");
}

const asJson = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

const isApproval = ({ type, action_requests }: Readable) => type === "approval" || action_requests !== undefined;

const yes = /^(y|yes|ok|okay|approve|approved|accept|accepted)[.!]?$/i;
const no = /^(?:n|no|reject|rejected|refuse|refused|deny|denied|decline|declined)\b[\s,.:;!-]*(.*)$/is;

/**
 * Interprets a person's text as the answer to a question. The answer is a decision, one of the question's options, or a JSON value if the
 * text can be read as one of these. Otherwise, it is the text itself.
 */
export function readAnswer({ value, responseSchema }: OpenQuestion, text: string): unknown {
  const said = text.trim();
  const question = Readable.safeParse(value).data;
  if (question && isApproval(question)) return readDecision(question, said) ?? readJson(said) ?? text;
  if (question?.options) return question.options[Number(said) - 1] ?? question.options.find((option) => isSame(option, said)) ?? text;
  const wantsText = z.object({ type: z.literal("string") }).safeParse(responseSchema).success;
  return wantsText ? text : (readJson(said) ?? text);
}

function readDecision({ action_requests }: Readable, said: string): unknown {
  const [isNo, reason = ""] = no.exec(said) ?? [];
  if (isNo === undefined && !yes.test(said)) return undefined;
  if (!action_requests) return isNo === undefined ? { approved: true } : { approved: false, ...(reason && { reason }) };
  const decision = isNo === undefined ? { type: "approve" } : { type: "reject", ...(reason && { message: reason }) };
  return { decisions: action_requests.map(() => decision) };
}

/** Parses a text that is a JSON object, a list or a boolean. Returns undefined for any other text. */
function readJson(text: string): unknown {
  if (!/^[[{]|^(true|false)$/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
