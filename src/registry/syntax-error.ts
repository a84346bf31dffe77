import { execFile } from "node:child_process";
import { recentlyLoaded } from "./modules.ts";

/** The highest number of files to check. Each check starts a Node process, so only the most recently loaded files are checked. */
const mostChecked = 20;

/**
 * Returns the file and line of a syntax error in an ES module. Node's error does not contain them, so the most recently loaded files are
 * checked again with `node --check`. Returns undefined for any other error, and if no file has a syntax error.
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

/** Returns the output of `node --check`, whose first line is `<file>:<line>`. Returns an empty text if the file has no syntax error. */
const checkSyntax = (file: string) =>
  new Promise<string>((resolve) => {
    execFile(process.execPath, ["--check", file], { timeout: 10_000 }, (_error, _stdout, stderr) => resolve(stderr));
  });
