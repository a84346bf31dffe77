import { use, useState } from "react";
import { DraftsContext } from "../../parts/draft.ts";
import { answerQuestion, keyOf, type OpenQuestion, refusalOf } from "../../parts/questions/open-questions.ts";
import { tell } from "../../parts/toast.tsx";

interface Answers {
  isBusy: (question: OpenQuestion) => boolean;
  /**
   * Returns the error with which the service refused the last answer to this question. Returns undefined if it did not refuse the answer.
   */
  failureOf: (question: OpenQuestion) => unknown;
  /** Sends an answer. Resolves to false if the service refused the answer. */
  answer: (question: OpenQuestion, value: unknown) => Promise<boolean>;
}

/** Sends answers. If the service refuses an answer, keeps the error of its question, even while another question is shown. */
export function useAnswers(): Answers {
  const drafts = use(DraftsContext);
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const [failures, setFailures] = useState<ReadonlyMap<string, unknown>>(new Map());
  const answer = async (question: OpenQuestion, value: unknown) => {
    const key = keyOf(question);
    setBusy((old) => new Set(old).add(key));
    setFailures((old) => new Map([...old].filter(([other]) => other !== key)));
    try {
      await answerQuestion(question, value);
      for (const name of [...(drafts?.keys() ?? [])]) if (name.startsWith(key)) drafts?.delete(name);
      tell("The answer was sent.");
      return true;
    } catch (error) {
      setFailures((old) => new Map(old).set(key, error));
      tell(refusalOf(error), true);
      return false;
    } finally {
      setBusy((old) => new Set([...old].filter((other) => other !== key)));
    }
  };
  return { isBusy: (question) => busy.has(keyOf(question)), failureOf: (question) => failures.get(keyOf(question)), answer };
}
