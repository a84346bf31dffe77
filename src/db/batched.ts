import { setImmediate as nextTurn } from "node:timers/promises";
import { isDatabaseTrouble } from "./failure.ts";

export interface BatchedOptions<Ask> {
  /** Requests with the same key run one after another. */
  keyOf?: (ask: Ask) => unknown;
}

interface Waiting<Ask, Answer> {
  ask: Ask;
  done: PromiseWithResolvers<Answer>;
}

/** Those who ask together are told apart in arrays, in which a document is written with escapes. A larger one goes alone, as it is. */
export const largeDocument = 16_384;

/** Statements under way at once: enough to keep the server busy while the next ones gather. */
const lines = 2;
const most = 50;

/**
 * Shares statements among those who ask for the same thing: those that ask in one turn of the event loop, and those that come while others
 * are being answered. `answerAll` has an answer for each, in their order. Nobody joins a statement that is under way, so no answer is
 * older than its question.
 */
export function batched<Ask, Answer>(
  answerAll: (asks: Ask[]) => Promise<Answer[]>,
  { keyOf }: BatchedOptions<Ask> = {},
): (ask: Ask) => Promise<Answer> {
  let waiting: Waiting<Ask, Answer>[] = [];
  let underWay = 0;

  async function answerNext(): Promise<void> {
    underWay += 1;
    await nextTurn();
    const taken = takeOneOfEach();
    const answers = taken.length > 0 ? await answerAll(taken.map(({ ask }) => ask)).catch((error: Error) => error) : [];
    underWay -= 1;
    if (waiting.length > 0) void answerNext();
    if (!(answers instanceof Error)) for (const [index, { done }] of taken.entries()) done.resolve(answers[index] as Answer);
    else if (taken.length === 1 || isDatabaseTrouble(answers)) for (const { done } of taken) done.reject(answers);
    else for (const one of taken) await answerAlone(one); // what the database does not take spoils only itself
  }

  function takeOneOfEach(): Waiting<Ask, Answer>[] {
    const taken = new Map<unknown, Waiting<Ask, Answer>>();
    const left: Waiting<Ask, Answer>[] = [];
    for (const one of waiting) {
      const key = keyOf ? keyOf(one.ask) : one;
      if (taken.size < most && !taken.has(key)) taken.set(key, one);
      else left.push(one);
    }
    waiting = left;
    return [...taken.values()];
  }

  async function answerAlone({ ask, done }: Waiting<Ask, Answer>): Promise<void> {
    await answerAll([ask]).then(([answer]) => done.resolve(answer as Answer), done.reject);
  }

  return (ask) => {
    const done = Promise.withResolvers<Answer>();
    waiting.push({ ask, done });
    if (underWay < lines) void answerNext();
    return done.promise;
  };
}
