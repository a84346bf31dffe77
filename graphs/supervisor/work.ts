import { Command, type NodeError, Overwrite, Send } from "@langchain/langgraph";
import { report } from "../kit/progress.ts";
import { asCached, doStep, type Errand, keyOf, outcomeOf, StepFailed, writeResult } from "../kit/step-work.ts";
import { type Config, contextOf } from "./context.ts";
import type { Node, Supervised } from "./state.ts";

/** All steps that can begin now go out together, as many as may work at once; with none left, the findings are brought together. */
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

/** One step by one agent. What failed is an outcome like another. */
export const work = async (errand: Errand, config: Config) => writeResult(errand, await attempt(errand, config));

/** The same for a node whose results are remembered: LangGraph keeps whatever a node returns, so a failure is thrown. */
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

/** Makes the outcome of a step that failed; whatever else was thrown, the run's own abort above all, is thrown on. */
function recover(errand: Errand, { error }: NodeError) {
  return new Command({ update: writeResult(errand, outcomeOf(error, errand)), goto: "account" });
}

/** What the wave cost goes into the ledger. A call of another wave was not made now: its result came from the cache. */
export const account: Node = ({ calls, wave }, config) => {
  const found = calls.filter((call) => call.wave !== wave);
  for (const { step, entry } of found) {
    report(config, "supervisor", "step", Date.now(), { step, agent: entry.agent, status: entry.outcome, cached: true });
  }
  return { calls: new Overwrite([]), ledger: calls.map((call) => (call.wave === wave ? call.entry : asCached(call.entry))) };
};

const aDay = 86_400;

/** How `recall` remembers. */
export const remembering = { cachePolicy: { ttl: aDay, keyFunc: ([errand]: unknown[]) => keyOf(errand) }, errorHandler: recover };
