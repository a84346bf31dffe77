import { setTimeout as sleep } from "node:timers/promises";
import { writeMessage } from "../webhooks/message.ts";
import type { WebhookRules } from "../webhooks/rules.ts";
import { sendWebhook } from "../webhooks/send.ts";
import { claimWebhooks, type Delivery, giveBackWebhook, noteDelivered, noteFailed, type Pace, webhookTopic } from "../webhooks/webhooks.ts";
import { watchReceivers } from "./receivers.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;
/** For receivers of each pace, so that who takes long waits with his like, and nobody waits for him. */
const turns = 32;
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
  { pool, wakeups, log }: WorkerDeps,
  { headers, secrets, ...way }: DeliveryOptions,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const cut = new AbortController();
  const underWay = new Map<Promise<void>, Pace>();
  const receivers = watchReceivers();
  /** Behind which receiver the next claim begins. */
  let last: string | undefined;

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const woken = wakeups.next(webhookTopic, pollMs, stopped.signal); // armed before the claim, so that no word is missed
      const claimed = await claim().catch((err) => {
        log.warn({ err }, "webhooks could not be claimed, trying again");
        return [];
      });
      for (const delivery of claimed) start(delivery);
      if (claimed.length === 0 && last === undefined) await woken;
    }
  }

  async function claim(): Promise<Delivery[]> {
    const free = { new: turns, prompt: turns, slow: turns };
    for (const pace of underWay.values()) free[pace]--;
    const claimed = await claimWebhooks(pool, free, receivers.list(), last);
    last = claimed.last;
    return claimed.deliveries;
  }

  function start(delivery: Delivery): void {
    const begun = performance.now();
    receivers.begin(delivery.host);
    const done = deliver(delivery)
      .catch((err) => log.warn({ err, run_id: delivery.runId }, "what became of a webhook could not be noted; it is sent again"))
      .finally(() => {
        underWay.delete(done);
        receivers.end(delivery.host, performance.now() - begun);
        wakeups.tellHere(webhookTopic); // a turn is free
      });
    underWay.set(done, delivery.pace);
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
