import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process by pid and start time, as one line: pids are given out again, start times are not. */
export async function describeProcess(pid: number): Promise<string> {
  return `${pid} ${await startTime(pid)}`;
}

/** Whether the process that `describeProcess` described is still that one. */
export async function isSameProcess(description: string): Promise<boolean> {
  const pid = Number(description.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const started = await startTime(pid);
  return started !== gone && description.trim() === `${pid} ${started}`;
}

const gone = "gone";

async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the command in parentheses and may hold spaces; the start time is the 20th after it.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  if (!isAlive(pid)) return gone;
  const ps = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "unknown" })); // no ps: Windows
  return ps.stdout.trim();
}

/** Whether a process has this pid, whoever runs it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
