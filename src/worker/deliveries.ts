import { setTimeout as sleep } from "node:timers/promises";
import { writeMessage } from "../webhooks/message.ts";
import { sendWebhook } from "../webhooks/send.ts";
import type { WebhookRules } from "../webhooks/webhook-rules.ts";
import { claimWebhooks, type Delivery, giveBackWebhook, noteDelivered, noteFailed, type Pace, webhookTopic } from "../webhooks/webhooks.ts";
import { watchReceivers } from "./receivers.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pollMs = 1_000;
/**
 * The highest number of deliveries that may be in progress for each pace of receivers (new, prompt or slow). Each pace is counted
 * separately, so that slow receivers cannot delay prompt ones.
 */
const turns = 32;
const timeoutMs = 10_000;
/** The time that a stopping process waits for the deliveries in progress, in milliseconds. */
const graceMs = 500;

export interface DeliveryOptions {
  rules: WebhookRules;
  headers: Record<string, string>;
  secrets: Buffer[];
  /** Returns the URL of the service's own API, or undefined while this process does not know it. */
  ownUrl: () => string | undefined;
  ownHeaders: Record<string, string>;
}

/**
 * Delivers webhooks until it is stopped. Each delivery is made when it is due by the database's clock. Any number of processes may do this
 * at the same time.
 */
export function startDeliveries(deps: WorkerDeps, options: DeliveryOptions): { stop(): Promise<void> } {
  const deliveries = new Deliveries(deps, options);
  const finished = deliveries.run();
  return { stop: () => deliveries.stop(finished) };
}

class Deliveries {
  readonly #deps: WorkerDeps;
  readonly #options: DeliveryOptions;
  readonly #stopped = new AbortController();
  readonly #cut = new AbortController();
  readonly #underWay = new Map<Promise<void>, Pace>();
  readonly #receivers = watchReceivers();
  /**
   * The last receiver that the last claim considered. The next claim begins with the receiver after it, so that all receivers get their
   * turn. Undefined means that the next claim begins with the first receiver.
   */
  #last: string | undefined;

  constructor(deps: WorkerDeps, options: DeliveryOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { log, wakeups } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      const woken = wakeups.next(webhookTopic, pollMs, this.#stopped.signal); // starts before the claim, so that no notification is missed
      const claimed = await this.#claim().catch((err) => {
        log.warn({ err }, "webhooks could not be claimed, trying again");
        return [];
      });
      for (const delivery of claimed) this.#start(delivery);
      if (claimed.length === 0 && this.#last === undefined) await woken;
    }
  }

  async stop(finished: Promise<void>): Promise<void> {
    this.#stopped.abort();
    await finished;
    await Promise.race([this.#allDone(), sleep(graceMs, undefined, { ref: false })]);
    this.#cut.abort();
    await this.#allDone();
  }

  async #claim(): Promise<Delivery[]> {
    const free = { new: turns, prompt: turns, slow: turns };
    for (const pace of this.#underWay.values()) free[pace]--;
    const claimed = await claimWebhooks(this.#deps.pool, free, this.#receivers.list(), this.#last);
    this.#last = claimed.last;
    return claimed.deliveries;
  }

  #start(delivery: Delivery): void {
    const { log, wakeups } = this.#deps;
    const begun = performance.now();
    this.#receivers.begin(delivery.host);
    const done = this.#deliver(delivery)
      .catch((err) =>
        log.warn({ err, run_id: delivery.runId }, "the result of a webhook delivery could not be stored, so the webhook is sent again"),
      )
      .finally(() => {
        this.#underWay.delete(done);
        this.#receivers.end(delivery.host, performance.now() - begun);
        wakeups.notifyHere(webhookTopic); // so that another delivery can begin now
      });
    this.#underWay.set(done, delivery.pace);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { pool, log } = this.#deps;
    const { headers, secrets, ownUrl, ...way } = this.#options;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#cut.signal]);
    const failure = await sendWebhook(delivery.url, writeMessage(delivery, headers, secrets), { ...way, ownUrl: ownUrl(), signal });
    if (!failure) return noteDelivered(pool, delivery);
    if (this.#cut.signal.aborted) return giveBackWebhook(pool, delivery);
    log.warn({ run_id: delivery.runId, attempt: delivery.attempt, host: delivery.host, reason: failure.reason }, "webhook failed");
    await noteFailed(pool, delivery, failure.reason, failure.hopeless);
  }

  async #allDone(): Promise<void> {
    await Promise.all([...this.#underWay.keys()]);
  }
}
