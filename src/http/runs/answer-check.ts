import { z } from "zod";
import type { Issue } from "../../registry/validate.ts";
import { answersById, type OpenQuestion, unaskedIds } from "../../threads/questions.ts";

/** Validates answers with the schemas of the open questions. Returns one issue for each problem. */
export function issuesOfAnswers(questions: OpenQuestion[], resume: unknown): Issue[] {
  const path = ["command", "resume"];
  const byId = answersById(resume);
  if (byId) {
    const answered = questions.filter(({ id }) => byId.has(id));
    return answered.flatMap((question) => issuesOf(question, byId.get(question.id), [...path, question.id]));
  }
  return questions.flatMap((question) => issuesOf(question, resume, path)); // LangGraph passes an answer without an id to all questions
}

/** Returns an issue for each answer whose id matches no open question. */
export function issuesOfUnasked(questions: OpenQuestion[], resume: unknown): Issue[] {
  const unasked = unaskedIds(questions, resume);
  return unasked.map((id) => ({ path: ["command", "resume", id], message: "no question with this id is open" }));
}

function issuesOf({ responseSchema }: OpenQuestion, answer: unknown, path: PropertyKey[]): Issue[] {
  const issues: Issue[] = toSchema(responseSchema)?.safeParse(answer).error?.issues ?? [];
  return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

const JsonSchema = z.custom<z.core.JSONSchema.JSONSchema>((value) => typeof value === "object" && value !== null);

/**
 * Returns the zod schema for answers to a question. Returns undefined if the question has no schema, or if zod cannot express the schema.
 * In these two cases, only the graph validates the answer.
 */
function toSchema(responseSchema: unknown): z.ZodType | undefined {
  const schema = JsonSchema.safeParse(responseSchema);
  if (!schema.success) return undefined;
  try {
    return z.fromJSONSchema(schema.data);
  } catch {
    return undefined;
  }
}
