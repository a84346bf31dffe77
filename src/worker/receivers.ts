import type { Pace, Receiver } from "../webhooks/webhooks.ts";

/** What a receiver takes at most that counts as prompt. */
const promptMs = 1_000;
/** Of each pace; one that is forgotten is new again. */
const mostRemembered = 200;

/** What this process knows of those whom it tells: how fast they were last, and how many deliveries to them are under way. */
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
      receivers.delete(host); // and to the end of the list, where the latest are
      receivers.set(host, { host, pace, underWay: underWay - 1 });
      forgetOldest(pace);
    },
  };
}
