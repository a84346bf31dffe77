import type { BaseChannel, Pregel, PregelNode } from "@langchain/langgraph";
import { z } from "zod";

/** What a graph is to be called with. */
export interface GraphCallArguments {
  input?: unknown;
  context?: Record<string, unknown> | undefined;
}

/** What a schema has against a document, and where. */
export interface Issue {
  path: PropertyKey[];
  message: string;
  /** Of a choice: what each alternative had against it. */
  errors?: Issue[][] | undefined;
}

/** A caller mends what is named first; a list of two hundred thousand helps nobody, and takes seconds to write. */
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
 * What the graph's own schemas have against its input and its context. They are asked by the very functions by which LangGraph asks
 * them when the run begins, so that nothing is refused that would have run; a graph without schemas takes anything.
 */
export async function findIssues(
  graph: Pregel<Record<string, PregelNode>, Record<string, BaseChannel>>,
  { input, context }: GraphCallArguments,
): Promise<Issue[]> {
  // biome-ignore lint/complexity/useLiteralKeys: LangGraph marks them as protected, and has no other way to ask.
  const ofInput = input === undefined ? [] : await issuesOf("input", () => graph["_validateInput"](input));
  // biome-ignore lint/complexity/useLiteralKeys: the same
  const ofContext = context === undefined ? [] : await issuesOf("context", () => graph["_validateContext"](context));
  return [...ofInput, ...ofContext];
}

async function issuesOf(root: string, ask: () => Promise<unknown>): Promise<Issue[]> {
  try {
    await ask();
    return [];
  } catch (error) {
    return issuesIn(error).map((issue) => ({ ...issue, path: [root, ...issue.path] }));
  }
}

const ofField = /^Validation failed for field "(.*?)": (\[.*\])$/s;

/** zod's own list, or the one that StateSchema writes into its message. Any other error is a schema's own trouble: the run will tell. */
function issuesIn(error: unknown): Issue[] {
  if (!(error instanceof Error)) return [];
  const listed = Issues.safeParse("issues" in error ? error.issues : undefined);
  if (listed.success) return listed.data;
  const [, field, list] = ofField.exec(error.message) ?? [];
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
