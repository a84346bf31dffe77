import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measured } from "./measured.ts";
import type { Verdict } from "./targets.ts";

/** The result of one execution of the benchmark, with the machine and the commit. */
export interface Results {
  startedAt: string;
  seconds: number;
  quick: boolean;
  commit: string | undefined;
  machine: { cores: number; cpu: string | undefined; memoryGb: number; node: string; platform: string; loadBefore: number };
  parts: Record<string, Measured>;
  targets: Verdict[];
}

const directory = fileURLToPath(new URL("./results/", import.meta.url));

export function describeMachine(): Results["machine"] {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Returns the commit of the code, or undefined outside a repository. */
export function findCommit(): string | undefined {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** Writes the results to a file, and returns its path. */
export async function writeResults(results: Results): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${results.startedAt.replaceAll(":", "-")}.json`);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}
