import { execFile } from "node:child_process";
import { recentlyLoaded } from "./modules.ts";

/** Each check starts Node, so only the files that were loaded last are checked. */
const mostChecked = 20;

/**
 * Returns the place of a syntax error in an ES module. Node's error names no place there, so Node checks the files that were loaded last.
 * Returns undefined for every other error.
 */
export async function findSyntaxError(error: unknown): Promise<{ file: string; text: string } | undefined> {
  if (!(error instanceof SyntaxError)) return undefined;
  for (const file of recentlyLoaded().slice(0, mostChecked)) {
    const report = await checkSyntax(file);
    const [first = ""] = report.split("\n");
    if (first.startsWith(file) && report.includes(`SyntaxError: ${error.message}`)) return { file, text: first };
  }
  return undefined;
}

/** Returns what `node --check` reports. Its first line is `<file>:<line>`. It is empty if the file parses. */
const checkSyntax = (file: string) =>
  new Promise<string>((resolve) => {
    execFile(process.execPath, ["--check", file], { timeout: 10_000 }, (_error, _stdout, stderr) => resolve(stderr));
  });
