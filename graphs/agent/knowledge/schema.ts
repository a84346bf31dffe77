import { resolve } from "node:path";
import { z } from "zod";
import { closed, type Problem } from "../closed.ts";
import { isWithin, operatorDirectories } from "../operator-limits.ts";

const longestText = 1_000_000;
const sourceFields = {
  text: z.string().trim().min(1).max(longestText).optional().describe("A text"),
  store: z
    .array(z.string().min(1))
    .min(1)
    .max(32)
    .optional()
    .describe("Namespace of the store. In data, it must begin with `knowledge`. The items have a field `text`, or are read as JSON."),
  file: z.string().min(1).max(4_096).optional().describe("Path of a text file, within the directories that the operator allows"),
  pdf: z.string().min(1).max(4_096).optional().describe("Path of a PDF file, within the directories that the operator allows"),
  page: z.url().max(4_096).optional().describe("Address of a web page"),
  name: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Name of the source, as the model reads it. Default: the path, the address or the kind"),
};
const kinds = ["text", "store", "file", "pdf", "page"] as const;

/**
 * A source of knowledge that is defined outside code, for example in a run's context. Its file must lie in one of the operator's
 * directories. Only code can name other files.
 */
const Source = closed(sourceFields, (given) => [...findKindProblems(given), ...findPlaceProblems(given)]);
const SourceInCode = closed(sourceFields, findKindProblems);

/** A validated source of knowledge. `isOwn` marks a source from code, which may name any file and any namespace. */
export type Source = z.infer<typeof Source> & { isOwn?: true };
export type SourceInput = z.input<typeof Source>;

/** The sources of knowledge of an agent that is defined outside code, for example in a run's context. */
export const Knowledge = z.array(Source).max(50).optional().describe("Sources whose passages the agent reads before its task");
const KnowledgeInCode = z.array(SourceInCode).max(50);

/** Validates sources from code, and marks them with `isOwn`, so that they may name any file. Throws if a source is invalid. */
export const ownSources = (given: SourceInput[]): Source[] => KnowledgeInCode.parse(given).map((source) => ({ ...source, isOwn: true }));

function findKindProblems(given: object): Problem[] {
  const present = kinds.filter((kind) => Object(given)[kind] !== undefined);
  return present.length === 1 ? [] : [{ path: [], message: `give one of ${kinds.join(", ")}` }];
}

function findPlaceProblems(given: object): Problem[] {
  const { store, file, pdf } = given as z.input<typeof Source>;
  const path = file ?? pdf;
  if (Array.isArray(store) && store[0] !== "knowledge") {
    return [{ path: ["store"], message: 'in data, the namespace must begin with "knowledge"' }];
  }
  if (typeof path !== "string" || operatorDirectories().some((directory) => isWithin(resolve(directory, path), directory))) return [];
  return [{ path: [file === undefined ? "pdf" : "file"], message: "this is not in a directory of ensemble.patterns.allowed_directories" }];
}
