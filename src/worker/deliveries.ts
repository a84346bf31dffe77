import { setTimeout as sleep } from "node:timers/promises";
import { writeMessage } from "../webhooks/message.ts";
import type { WebhookRules } from "../webhooks/rules.ts";
import { sendWebhook } from "../webhooks/send.ts";
import { claimWebhooks, type Delivery, giveBackWebhook, noteDelivered, noteFailed, webhookTopic } from "../webhooks/webhooks.ts";
import type { WorkerRooms } from "./rooms.ts";

const pollMs = 1_000;
const slots = 32;
const perHost = 4;
const timeoutMs = 10_000;
/** What deliveries that are under way get to arrive when the process ends. */
const graceMs = 500;

export interface DeliveryOptions {
  rules: WebhookRules;
  headers: Record<string, string>;
  secrets: Buffer[];
  ownUrl: string | undefined;
  ownHeaders: Record<string, string>;
}

/** Makes the deliveries that are due, by the database's clock, until it is stopped. Any number of processes may do so. */
export function startDeliveries(
  { pool, wakeups, log }: WorkerRooms,
  { headers, secrets, ...way }: DeliveryOptions,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const cut = new AbortController();
  const underWay = new Map<Promise<void>, string>();

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const woken = wakeups.next(webhookTopic, pollMs, stopped.signal); // armed before the claim, so that no word is missed
      const claimed = await claim().catch((err) => {
        log.warn({ err }, "webhooks could not be claimed, trying again");
        return [];
      });
      for (const delivery of claimed) start(delivery);
      if (claimed.length === 0) await woken;
    }
  }

  async function claim(): Promise<Delivery[]> {
    const free = slots - underWay.size;
    const byHost = Map.groupBy(underWay.values(), (host) => host);
    const fullHosts = [...byHost].filter(([, all]) => all.length >= perHost).map(([host]) => host);
    return free > 0 ? claimWebhooks(pool, { slots: free, perHost, fullHosts }) : [];
  }

  function start(delivery: Delivery): void {
    const done = deliver(delivery)
      .catch((err) => log.warn({ err, run_id: delivery.runId }, "what became of a webhook could not be noted; it is sent again"))
      .finally(() => {
        underWay.delete(done);
        wakeups.tellHere(webhookTopic); // a turn is free
      });
    underWay.set(done, delivery.host);
  }

  async function deliver(delivery: Delivery): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), cut.signal]);
    const failure = await sendWebhook(delivery.url, writeMessage(delivery, headers, secrets), { ...way, signal });
    if (!failure) return noteDelivered(pool, delivery);
    if (cut.signal.aborted) return giveBackWebhook(pool, delivery);
    log.warn({ run_id: delivery.runId, attempt: delivery.attempt, host: delivery.host, reason: failure.reason }, "webhook failed");
    await noteFailed(pool, delivery, failure.reason, failure.hopeless);
  }

  const allDone = () => Promise.all([...underWay.keys()]);
  const finished = loop();
  return {
    async stop() {
      stopped.abort();
      await finished;
      await Promise.race([allDone(), sleep(graceMs, undefined, { ref: false })]);
      cut.abort();
      await allDone();
    },
  };
}
