import { Command, type NodeError, Overwrite, Send } from "@langchain/langgraph";
import { report } from "../kit/progress.ts";
import { asCached, doStep, type Errand, keyOf, outcomeOf, StepFailed, writeResult } from "../kit/step-work.ts";
import { type Config, contextOf } from "./context.ts";
import type { Node, Supervised } from "./state.ts";

/** Sends out all steps that can begin now, up to the limit of parallel work. When none is left, the findings are reconciled. */
export function dispatch({ input, steps, results, again, finished, wave }: Supervised, config: Config): Send[] | "reconcile" {
  const { roster, limits, models, cache } = contextOf(config);
  const ready = finished
    ? []
    : steps.filter(
        ({ id, dependsOn }) =>
          (!results[id] || results[id].tries === again[id]) && dependsOn.every((other) => results[other]?.status === "success"),
      );
  if (ready.length === 0) return "reconcile";
  return ready.slice(0, limits.parallel).map((step, stage) => {
    const needs = step.dependsOn.length > 0 ? Object.fromEntries(step.dependsOn.map((other) => [other, results[other]?.work])) : input;
    return new Send(cache ? "recall" : "work", {
      step,
      stage,
      needs,
      wave,
      model: models.worker,
      temperature: models.temperature,
      tries: results[step.id]?.tries ?? 0,
      agent: roster.find(({ name }) => name === step.agent),
    });
  });
}

/** Does one step with one agent. A failure is an outcome too. */
export const work = async (errand: Errand, config: Config) => writeResult(errand, await attempt(errand, config));

/** Does one step for a node with a cache. LangGraph keeps whatever a node returns, so a failure is thrown. */
export async function recall(errand: Errand, config: Config) {
  const outcome = await attempt(errand, config);
  if (outcome.status !== "success") throw new StepFailed(outcome);
  return writeResult(errand, outcome);
}

async function attempt(errand: Errand, config: Config) {
  const { limits, budget } = contextOf(config);
  const outcome = await doStep(errand, { limits, budget }, config);
  const { step, agent } = errand;
  report(config, "supervisor", "step", Date.parse(outcome.entry.at), { step: step.id, agent: agent.name, status: outcome.status });
  return outcome;
}

/** Turns the error of a failed step into its outcome. Every other error is rethrown, above all the run's own abort. */
function recover(errand: Errand, { error }: NodeError) {
  return new Command({ update: writeResult(errand, outcomeOf(error, errand)), goto: "account" });
}

/** Adds the wave's cost to the ledger. A call with another wave was not made now: its result came from the cache. */
export const account: Node = ({ calls, wave }, config) => {
  const found = calls.filter((call) => call.wave !== wave);
  for (const { step, entry } of found) {
    report(config, "supervisor", "step", Date.now(), { step, agent: entry.agent, status: entry.outcome, cached: true });
  }
  return { calls: new Overwrite([]), ledger: calls.map((call) => (call.wave === wave ? call.entry : asCached(call.entry))) };
};

const aDay = 86_400;

/** The cache policy of `recall`. */
export const remembering = { cachePolicy: { ttl: aDay, keyFunc: ([errand]: unknown[]) => keyOf(errand) }, errorHandler: recover };
