import { readdir, readFile } from "node:fs/promises";

/** The kernel's ticks per second for CPU time: 100 on every Linux that Node runs on. */
const ticksASecond = 100;
const kilobytesAMegabyte = 1024;
const mostTries = 5;

interface Stat {
  pid: number;
  parent: number;
  ownTicks: number;
  /** The CPU time of child processes that have already ended. */
  gatheredTicks: number;
}

/** Returns the CPU seconds of these processes and their children. Returns undefined on a system without /proc. */
export async function cpuSeconds(pids: number[]): Promise<number | undefined> {
  const stats = await readConsistently(pids);
  if (!stats) return undefined;
  const children = Map.groupBy(stats.values(), ({ parent }) => parent);
  const ticksOf = (pid: number): number => {
    const stat = stats.get(pid);
    if (!stat) return 0;
    const living = (children.get(pid) ?? []).reduce((sum, child) => sum + ticksOf(child.pid), 0);
    return stat.ownTicks + stat.gatheredTicks + living;
  };
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksASecond;
}

/**
 * Reads all processes. If a child process ends meanwhile, reads again, because that child would be counted twice: as itself, and as part of
 * its parent.
 */
async function readConsistently(pids: number[]): Promise<Map<number, Stat> | undefined> {
  const gathered = async () => (await Promise.all(pids.map((pid) => readStat(String(pid))))).map((stat) => stat?.gatheredTicks).join();
  for (let tries = 1; ; tries++) {
    const before = await gathered();
    const stats = await readStats();
    if (tries === mostTries || before === (await gathered())) return stats;
  }
}

async function readStats(): Promise<Map<number, Stat> | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  if (!names?.includes("self")) return undefined;
  const stats = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readStat));
  return new Map(stats.filter((stat) => stat !== undefined).map((stat) => [stat.pid, stat]));
}

/** Reads the usage of a process. Returns undefined if the process has ended. */
async function readStat(pid: string): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // a process name may contain any character, even spaces and parentheses
  const field = (number: number) => Number(fields[number - 3]); // the numbers are those of proc(5)
  return { pid: Number(pid), parent: field(4), ownTicks: field(14) + field(15), gatheredTicks: field(16) + field(17) };
}

/** Returns the resident memory of these processes together, in MB. */
export async function residentMb(pids: number[]): Promise<number | undefined> {
  const sizes = await Promise.all(pids.map(residentKb));
  return sizes.includes(undefined) ? undefined : sizes.reduce<number>((sum, size = 0) => sum + size, 0) / kilobytesAMegabyte;
}

async function residentKb(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return found === undefined ? undefined : Number(found);
}
