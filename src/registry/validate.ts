import type { BaseChannel, Pregel, PregelNode } from "@langchain/langgraph";
import { z } from "zod";

/** The validated arguments of a graph's call: the input and the context. */
export interface GraphCallArguments {
  input?: unknown;
  context?: Record<string, unknown> | undefined;
}

/** A problem that a schema finds in a document. `path` is the path of the invalid value. */
export interface Issue {
  path: PropertyKey[];
  message: string;
  /** If the schema is a union, the issues of each of its alternatives. */
  errors?: Issue[][] | undefined;
}

/**
 * The highest number of issues in a response. Callers fix the first issues first, and writing a list of 200,000 issues would take seconds.
 */
export const mostIssues = 20;

const Issue: z.ZodType<Issue> = z.object({
  path: z.array(z.union([z.string(), z.number(), z.symbol()])).default([]),
  message: z.string(),
  get errors() {
    return z.array(Issues).optional();
  },
});
const Issues = z.preprocess((list) => (Array.isArray(list) ? list.slice(0, mostIssues) : list), z.array(Issue));

/**
 * Validates an input and a context with the graph's own schemas, and returns the issues. It calls the functions that LangGraph calls when a
 * run begins, so it refuses exactly those values that LangGraph would refuse. A graph without schemas accepts anything.
 */
export async function findIssues(
  graph: Pregel<Record<string, PregelNode>, Record<string, BaseChannel>>,
  { input, context }: GraphCallArguments,
): Promise<Issue[]> {
  // biome-ignore lint/complexity/useLiteralKeys: LangGraph marks them as protected and has no public validation
  const inputIssues = input === undefined ? [] : await issuesFrom("input", () => graph["_validateInput"](input));
  // biome-ignore lint/complexity/useLiteralKeys: the same
  const contextIssues = context === undefined ? [] : await issuesFrom("context", () => graph["_validateContext"](context));
  return [...inputIssues, ...contextIssues];
}

async function issuesFrom(root: string, validate: () => Promise<unknown>): Promise<Issue[]> {
  try {
    await validate();
    return [];
  } catch (error) {
    return issuesIn(error).map((issue) => ({ ...issue, path: [root, ...issue.path] }));
  }
}

const fieldFailure = /^Validation failed for field "(.*?)": (\[.*\])$/s;

/**
 * Returns the issues that a validation error contains. zod lists them in the error, and StateSchema writes them into the message. For any
 * other error, which code in the schema has thrown, returns no issues. The run is then accepted, and fails with this error.
 */
function issuesIn(error: unknown): Issue[] {
  if (!(error instanceof Error)) return [];
  const listed = Issues.safeParse("issues" in error ? error.issues : undefined);
  if (listed.success) return listed.data;
  const [, field, list] = fieldFailure.exec(error.message) ?? [];
  const named = Issues.safeParse(list && parseJson(list));
  return named.success ? named.data.map((issue) => ({ ...issue, path: [field ?? "", ...issue.path] })) : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
