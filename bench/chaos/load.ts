import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosClient } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import { createRandom, type Random } from "./random.ts";
import { scenarios } from "./scenarios.ts";

const atOnce = 24;
/** A client that has not come to its end after this long waits for something that will not happen. */
const patienceMs = 300_000;
/** So many breaches say enough. */
const enoughBreaches = 50;

export interface LoadOptions {
  runs: number;
  /** Milliseconds between the beginnings of two clients. */
  paceMs: number;
}

/** Lets clients come one after another until so many runs were acknowledged, and waits for the last to leave. */
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
    const ownRandom = createRandom(random.between(0, 2 ** 31)); // so that what others do meanwhile changes nothing for this one
    await Promise.race([scenario?.(client, ownRandom), tooLate()]).catch((error) =>
      ledger.breaches.push({ rule: "client failed", detail: `${scenario?.name}: ${error}` }),
    );
  }
}

async function tooLate(): Promise<never> {
  await sleep(patienceMs, undefined, { ref: false });
  throw new Error(`It was still waiting after ${patienceMs / 1000} s.`);
}
