import type { Pace, Receiver } from "../webhooks/webhooks.ts";

/** The longest response time of a prompt receiver, in milliseconds. */
const promptMs = 1_000;
/**
 * For each pace, the number of receivers without a current delivery that this process remembers. A receiver that it has forgotten counts as
 * new.
 */
const mostRemembered = 200;

/** Tracks how fast each webhook receiver responded last, and the number of deliveries to it that are in progress. */
export function watchReceivers() {
  const receivers = new Map<string, Receiver>();
  const known = (host: string): Receiver => receivers.get(host) ?? { host, pace: "new", underWay: 0 };

  function forgetOldest(pace: Pace): void {
    const idle = [...receivers.values()].filter((receiver) => receiver.pace === pace && receiver.underWay === 0);
    if (idle.length > mostRemembered) receivers.delete(idle[0]?.host ?? "");
  }

  return {
    list: (): Receiver[] => [...receivers.values()],
    begin(host: string): void {
      const { pace, underWay } = known(host);
      receivers.set(host, { host, pace, underWay: underWay + 1 });
    },
    end(host: string, tookMs: number): void {
      const pace = tookMs <= promptMs ? "prompt" : "slow";
      const { underWay } = known(host);
      receivers.delete(host); // moves the receiver to the end, so that the least recently used receivers come first
      receivers.set(host, { host, pace, underWay: underWay - 1 });
      forgetOldest(pace);
    },
  };
}
