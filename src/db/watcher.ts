import { orAborted } from "./abort.ts";
import type { Wakeups } from "./listen.ts";

const pollMs = 1_000;

/** Waits for facts that come true in the database, with one statement for all who wait. */
export interface Watcher<Question, Answer> {
  /** The answer, as soon as there is one; undefined when the signal was faster. A word on the topic makes it look at once. */
  wait(question: Question, topic: string, signal: AbortSignal): Promise<Answer | undefined>;
  stop(): Promise<void>;
}

export interface WatcherOptions<Question, Answer> {
  wakeups: Wakeups;
  /** Answers each question, in their order; undefined: not yet. */
  look: (questions: Question[]) => Promise<(Answer | undefined)[]>;
  onError: (error: Error) => void;
}

interface Waiter<Question, Answer> {
  question: Question;
  found: PromiseWithResolvers<Answer>;
}

export function startWatcher<Question, Answer>({ wakeups, look, onError }: WatcherOptions<Question, Answer>): Watcher<Question, Answer> {
  const waiting = new Set<Waiter<Question, Answer>>();
  const toLook = new Set<Waiter<Question, Answer>>();
  let looking: Promise<void> | undefined;

  async function lookAll(): Promise<void> {
    await undefined; // who comes in the same turn goes along
    while (toLook.size > 0) {
      const waiters = [...toLook];
      toLook.clear();
      const answers = await look(waiters.map(({ question }) => question)).catch(onError);
      if (!answers) break; // the next poll tries again
      for (const [index, { found }] of waiters.entries()) {
        const answer = answers[index];
        if (answer !== undefined) found.resolve(answer);
      }
    }
    looking = undefined;
  }

  function lookFor(waiters: Iterable<Waiter<Question, Answer>>): void {
    for (const waiter of waiters) toLook.add(waiter);
    looking ??= lookAll();
  }

  const poll = setInterval(() => waiting.size > 0 && lookFor(waiting), pollMs);

  return {
    async wait(question, topic, signal) {
      const waiter = { question, found: Promise.withResolvers<Answer>() };
      const unlisten = wakeups.on(topic, () => lookFor([waiter]));
      waiting.add(waiter);
      lookFor([waiter]);
      try {
        return await orAborted(waiter.found.promise, signal);
      } finally {
        unlisten();
        waiting.delete(waiter);
        toLook.delete(waiter);
      }
    },
    async stop() {
      clearInterval(poll);
      await looking;
    },
  };
}
