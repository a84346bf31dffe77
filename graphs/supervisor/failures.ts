import { randomUUID } from "node:crypto";
import { Overwrite } from "@langchain/langgraph";
import { askAnswer } from "ensemble/patterns";
import type { Setup } from "./context.ts";
import { isFailure } from "./dispatch.ts";
import type { Node, Supervised } from "./state.ts";

/**
 * Asks a person what to do after too many failures. The choices are to retry, to retry with new instructions, or to accept the partial
 * results.
 */
export function askAboutFailures(setup: Setup): Node {
  return (state, config) => {
    const { steps, results } = state;
    const { askTimeoutSeconds: timeoutSeconds } = setup.contextOf(config);
    const done = steps.filter(({ id }) => results[id]?.status === "success").length;
    const failed = steps.filter(({ id }) => isFailure(results[id])).map(({ id }) => `${id} (${results[id]?.error})`);
    const prompt = `${done} of ${steps.length} done; failed: ${failed.join(", ")}.`;
    const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
    if (choice === "retry") return untried(state);
    if (choice !== "adjust") return { finished: true };
    const advice = askAnswer("What should be done differently?", undefined, { timeoutSeconds });
    return advice === undefined ? { finished: true } : { ...untried(state), advice };
  };
}

/** Returns the state update that removes the results of failed steps, so that they are tried again. */
function untried({ results, again, reviewed }: Supervised) {
  const hasNotFailed = (id: string) => !isFailure(results[id]);
  return {
    results: new Overwrite(Object.fromEntries(Object.entries(results).filter(([id]) => hasNotFailed(id)))),
    again: Object.fromEntries(Object.entries(again).filter(([id]) => hasNotFailed(id))),
    reviewed: reviewed.filter(hasNotFailed),
    wave: randomUUID(),
  };
}
