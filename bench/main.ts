import { parseArgs } from "node:util";
import type { Measured } from "./measured.ts";
import { parts, usualParts } from "./parts.ts";
import { describeMachine, findCommit, type Results, writeResults } from "./results.ts";
import { type Stage, setStage } from "./stage.ts";
import { alignCells, formatTable } from "./table.ts";
import { judgeTargets, type Verdict } from "./targets.ts";

/** Runs `npm run bench [-- part …] [--quick] [--full] [--json]`. Without names of parts, the default parts are measured. */
const { values: options, positionals } = readArguments();
const chosen = positionals.length > 0 ? Object.keys(parts).filter((name) => positionals.includes(name)) : usualParts;

const killers: (() => void)[] = [];
process.on("exit", () => {
  for (const kill of killers) kill(); // after a clean stop, these functions find nothing to kill
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

const results = await measureAll(chosen);
const file = await writeResults(results);
if (options.json) console.log(JSON.stringify(results));
else {
  console.log(formatTargets(results.targets));
  if (options.quick) console.log("\nA quick look has too few samples to decide by.");
  console.log(`\n${Math.round(results.seconds)} s on ${results.machine.cores} cores; all of it in ${file}`);
}

process.exit(); // a failed part may have left something open that keeps the process alive

function readArguments() {
  const flag = { type: "boolean", default: false } as const;
  try {
    const given = parseArgs({ allowPositionals: true, options: { quick: flag, full: flag, json: flag } });
    const unknown = given.positionals.filter((name) => !(name in parts));
    if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(", ")}.`);
    return given;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(`npm run bench [-- part …] [--quick] [--full] [--json]; the parts are ${Object.keys(parts).join(", ")}.`);
    process.exit(1);
  }
}

async function measureAll(names: string[]): Promise<Results> {
  const [startedAt, started] = [new Date().toISOString(), performance.now()];
  const machine = describeMachine();
  const stage = await setStage(process.env.DATABASE_URL || undefined, killers);
  const measured: Record<string, Measured> = {};
  try {
    for (const name of names) measured[name] = await measureOne(name, stage).catch((error) => reportFailure(name, error));
  } finally {
    await stage.stop();
  }
  const figures = Object.assign({}, ...Object.values(measured).map((part) => part.figures ?? {}));
  const seconds = (performance.now() - started) / 1000;
  return { startedAt, seconds, quick: options.quick, commit: findCommit(), machine, parts: measured, targets: judgeTargets(figures) };
}

async function measureOne(name: string, stage: Stage): Promise<Measured> {
  const started = performance.now();
  const measured = await parts[name]?.(stage, options);
  if (!measured) throw new Error(`There is no part ${name}.`);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (!options.json)
    console.log(`${[`== ${name} (${seconds} s)`, ...measured.tables.map(formatTable), ...(measured.notes ?? [])].join("\n\n")}\n`);
  return measured;
}

/** Reports that a part failed. The results of the other parts are still useful. */
function reportFailure(name: string, error: unknown): Measured {
  console.error(`${name} failed:`, error);
  process.exitCode = 1;
  return { tables: [], notes: [`It failed: ${error}`] };
}

function formatTargets(verdicts: Verdict[]): string {
  const lines = verdicts
    .filter(({ measured }) => positionals.length === 0 || measured !== "-")
    .map(({ target, wanted, measured, met }) => [target, wanted, measured, met]);
  return alignCells([["target", "wanted", "measured", "met?"], ...lines]);
}
