import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosClient } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import { createRandom, type Random } from "./random.ts";
import { scenarios } from "./scenarios.ts";

const atOnce = 24;
/** The time limit of a client. A client that takes longer is considered to hang. */
const timeoutMs = 300_000;
/** At most this many breaches are listed. */
const enoughBreaches = 50;

export interface LoadOptions {
  runs: number;
  /** Milliseconds between the starts of two clients. */
  paceMs: number;
}

/** Starts one client after another until enough runs are acknowledged, and waits for the last one to leave. */
export async function putUnderLoad(client: ChaosClient, ledger: Ledger, random: Random, { runs, paceMs }: LoadOptions): Promise<void> {
  const here = new Set<Promise<void>>();
  let deck: typeof scenarios = [];
  while (ledger.runs.length < runs && ledger.breaches.length < enoughBreaches) {
    if (deck.length === 0) deck = random.shuffle(scenarios);
    const scenario = deck.pop();
    const visit = play(scenario).finally(() => here.delete(visit));
    here.add(visit);
    await sleep(paceMs);
    if (here.size >= atOnce) await Promise.race(here);
  }
  await Promise.all(here);

  async function play(scenario: (typeof scenarios)[number] | undefined): Promise<void> {
    const ownRandom = createRandom(random.between(0, 2 ** 31)); // other clients do not influence this one
    await Promise.race([scenario?.(client, ownRandom), tooLate()]).catch((error) =>
      ledger.breaches.push({ rule: "client failed", detail: `${scenario?.name}: ${error}` }),
    );
  }
}

async function tooLate(): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false });
  throw new Error(`It was still waiting after ${timeoutMs / 1000} s.`);
}
