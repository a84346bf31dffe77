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
  return description.trim() === (await describeProcess(pid));
}

async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the command in parentheses and may hold spaces; the start time is the 20th after it.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  const ps = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "gone" }));
  return ps.stdout.trim();
}
