import { fileURLToPath } from "node:url";
import { findMissingExport } from "./missing-export.ts";
import { findSyntaxError } from "./syntax-error.ts";

/**
 * Returns a sentence with the reason why a file of the user could not be imported. The sentence names the place of the error if it is
 * known.
 */
export async function describeImportFailure(error: unknown): Promise<string> {
  const place = placeOf(error) ?? (await findSyntaxError(error));
  const missing = await findMissingExport(error, place?.file);
  return `${missing ?? firstLine(error)}${place ? ` (at ${place.text})` : ""}`;
}

/**
 * Returns the first line of an error's message, which describes the problem. If that line only introduces a list, as in a compiler's error,
 * adds the second line.
 */
function firstLine(error: unknown): string {
  const [first = "", second = ""] = String(error instanceof Error ? error.message : error).split("\n");
  return first.endsWith(":") ? `${first} ${second.trim()}` : first;
}

const ours = fileURLToPath(new URL("..", import.meta.url));

/**
 * Returns the line of the project's own code that caused an error: the first stack frame outside Node, packages and this service. For a
 * syntax error, the loader writes the file and line above the message. Returns undefined if there is no such line.
 */
function placeOf(error: unknown): { file: string; text: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  for (const line of (error.stack ?? "").split("\n")) {
    const [, where = "", position = ""] =
      /^(?:\s+at (?:.*?[ (])?)?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]+?)((?::\d+){1,2})\)?$/.exec(line) ?? [];
    if (where === "" || where.includes("/node_modules/") || where.includes("\\node_modules\\")) continue;
    const file = where.startsWith("file://") ? fileURLToPath(where.replace(/\?.*$/, "")) : where.replace(/\?.*$/, "");
    if (!file.startsWith(ours)) return { file, text: `${file}${position}` };
  }
  return undefined;
}
