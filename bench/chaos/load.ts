import { setTimeout as sleep } from "node:timers/promises";
import { type ChaosClient, Unanswered } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import { scenarios } from "./scenarios.ts";

const atOnce = 24;
const triesLimit = 20;

export interface LoadOptions {
  runs: number;
  /** Milliseconds between the beginnings of two clients. */
  paceMs: number;
}

/** Lets clients come one after another until so many runs were acknowledged, and waits for the last to leave. */
export async function putUnderLoad(client: ChaosClient, ledger: Ledger, random: Random, { runs, paceMs }: LoadOptions): Promise<void> {
  const here = new Set<Promise<void>>();
  let deck: typeof scenarios = [];
  while (ledger.runs.length < runs) {
    if (deck.length === 0) deck = random.shuffle(scenarios);
    const scenario = deck.pop();
    const visit = play(scenario).finally(() => here.delete(visit));
    here.add(visit);
    await sleep(paceMs);
    if (here.size >= atOnce) await Promise.race(here);
  }
  await Promise.all(here);

  /** A client whose create got no answer leaves the thread alone and begins anew on another. */
  async function play(scenario: (typeof scenarios)[number] | undefined): Promise<void> {
    for (let tries = 0; tries < triesLimit; tries++) {
      try {
        return await scenario?.(client, random);
      } catch (error) {
        if (error instanceof Unanswered) continue;
        if (isRefusedConnection(error)) await sleep(paceMs);
        else return void ledger.breaches.push({ rule: "client failed", detail: `${scenario?.name}: ${error}` });
      }
    }
    ledger.breaches.push({ rule: "client failed", detail: `${scenario?.name}: no create was answered` });
  }
}

function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && (error.name === "ConnectionError" || /fetch failed|ECONNREFUSED/.test(error.message));
}
