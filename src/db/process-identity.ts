import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * Returns one line with the pid and start time of a process. The line identifies the process, because a reused pid has another start
 * time.
 */
export async function describeProcess(pid: number): Promise<string> {
  return `${pid} ${await startTime(pid)}`;
}

/** Tells whether the process with this description is still running. The description comes from `describeProcess`. */
export async function isSameProcess(description: string): Promise<boolean> {
  const pid = Number(description.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const started = await startTime(pid);
  return started !== gone && description.trim() === `${pid} ${started}`;
}

const gone = "gone";

async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the command in parentheses, which may contain spaces. The start time is the 20th field after the closing
  // parenthesis.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  if (!isAlive(pid)) return gone;
  const ps = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "unknown" })); // Windows has no ps
  return ps.stdout.trim();
}

/** Tells whether a process with this pid exists. The process may belong to another user. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
