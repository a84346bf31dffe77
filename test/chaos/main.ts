import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { checkEffects } from "./checks/effects.ts";
import { checkFence } from "./checks/fence.ts";
import { checkLatecomers } from "./checks/latecomers.ts";
import { checkLimits } from "./checks/limits.ts";
import { checkTheLiving } from "./checks/living.ts";
import { checkOutcomes } from "./checks/outcomes.ts";
import { checkRepeats } from "./checks/repeats.ts";
import { checkStreams } from "./checks/streams.ts";
import { createClient } from "./client.ts";
import { type Evidence, gather, keep } from "./evidence.ts";
import { causeTrouble, type Fault } from "./faults.ts";
import { emptyLedger } from "./ledger.ts";
import { putUnderLoad } from "./load.ts";
import { createRandom } from "./random.ts";
import { report } from "./report.ts";
import { type ChaosService, startChaosService, untilReady, untilSettled } from "./service.ts";
import { measureTakeovers } from "./takeovers.ts";

/**
 * Implements `npm run chaos`: many kinds of runs under load, with clocks that differ by up to an hour. Meanwhile it kills, stops and drains
 * processes, cuts connections and restarts Postgres. It then checks from outside that nothing was lost, done twice, or written by a
 * process without the right to write it.
 */
const { values: options } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const seed = Number(options.seed ?? (options.quick ? 1 : Math.floor(Math.random() * 1_000_000)));
const runs = Number(options.runs ?? (options.quick ? 60 : 300));
const paceMs = options.quick ? 650 : 480;
const runsAScenario = 10 / 7;

const started = Date.now();
const killers: (() => void)[] = [];
process.on("exit", () => {
  for (const kill of killers) kill(); // after a clean stop there is nothing left to kill
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
const service = await startChaosService(killers, createRandom(seed ^ 0xc10c));

const evidence = await bringAbout(service);
const findings = examine(evidence);
console.log(report(evidence.all, { seed, seconds: (Date.now() - started) / 1000, settledMs: evidence.settledMs, ...findings }));
await service.stop();
if (findings.breaches.length > 0 || options.keep) {
  await keep(service.home, evidence.all);
  console.log(`What it left behind: ${service.home}`);
} else await rm(service.home, { recursive: true, force: true });
process.exit(findings.breaches.length > 0 ? 1 : 0); // a client that waits for ever would keep the process alive

async function bringAbout(service: ChaosService): Promise<{ all: Evidence; settledMs: number }> {
  console.log(`chaos: seed ${seed}, ${runs} runs`);
  const ledger = emptyLedger();
  const faults: Fault[] = [];
  await untilReady(service);
  // There are two random sequences, so that the waiting times of clients do not affect the faults.
  const client = createClient(service.urls, ledger, createRandom(seed));
  const done = new AbortController();
  const trouble = causeTrouble(
    { ...service, random: createRandom(seed ^ 0x5eed), faults },
    { gapMs: [1_800, 3_200], restartAfterMs: ((runs / runsAScenario) * paceMs) / 2, signal: done.signal },
  );
  await putUnderLoad(client, ledger, createRandom(seed + 1), { runs, paceMs });
  done.abort();
  await trouble;
  const settledMs = await untilSettled(service);
  const all = await gather(service.database, service.journalFile, ledger, faults);
  await service.stopProcesses();
  return { all, settledMs };
}

function examine({ all }: { all: Evidence }) {
  const repeats = checkRepeats(all);
  const latecomers = checkLatecomers(all);
  return {
    allowedRepeats: repeats.allowed,
    excusedLatecomers: latecomers.excused,
    takeovers: measureTakeovers(all),
    breaches: [
      ...all.ledger.breaches,
      ...checkOutcomes(all),
      ...checkFence(all),
      ...repeats.breaches,
      ...latecomers.breaches,
      ...checkStreams(all),
      ...checkEffects(all),
      ...checkTheLiving(all),
      ...checkLimits(all),
    ],
  };
}
