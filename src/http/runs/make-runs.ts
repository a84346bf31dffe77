import type { FastifyRequest } from "fastify";
import { runNotFound, ServiceError } from "../../errors.ts";
import type { NewRun, RunCheck } from "../../runs/create.ts";
import type { Run } from "../../runs/run.ts";
import { type Submission, type SubmitOptions, submitRuns } from "../../runs/submit.ts";
import { admitRun } from "../admission/run-access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { idempotent } from "./idempotency-key.ts";
import { refuseWebhook, runCheck } from "./run-check.ts";

/** Creates the run that a request describes. Requests with the same key create only one run. By default, the key is the Idempotency-Key. */
export async function makeRun(
  deps: ApiDeps,
  request: FastifyRequest,
  wanted: NewRun,
  { check = runCheck(deps.registry), ...options }: SubmitOptions & { check?: RunCheck } = {},
): Promise<Run> {
  refuseWebhook(deps.webhookRules, wanted.kwargs.webhook);
  const submission = { ...(await admitRun(request, wanted)), check };
  const [run] = await submitRuns(deps, [submission], { key: idempotent(request), ...options });
  if (!run) throw runNotFound(); // the run that this Idempotency-Key created has been deleted meanwhile
  return run;
}

/** Creates all runs of a batch, or none. If a run of the batch is invalid, the issues name the run's index. */
export async function makeBatch(deps: ApiDeps, request: FastifyRequest, wanted: NewRun[]): Promise<Run[]> {
  for (const [index, { kwargs }] of wanted.entries()) refuseWebhook(deps.webhookRules, kwargs.webhook, ["body", index]);
  const submissions: Submission[] = [];
  for (const [index, one] of wanted.entries()) {
    const check = runCheck(deps.registry, wanted.length > 1 ? index : undefined);
    submissions.push({ ...(await admitRun(request, one)), check });
  }
  return submitRuns(deps, submissions, { key: idempotent(request), inspect: refuseLargeBatch(2 * deps.settings.bodyLimitBytes) });
}

/**
 * Returns a check for the runs of a batch, which throws if the response to the request would be too large. The transaction is then rolled
 * back. The response repeats the assistant's config for each run, so it can be much larger than the request.
 */
function refuseLargeBatch(most: number): (run: Run) => void {
  let bytes = 0;
  return (run) => {
    bytes += JSON.stringify(run).length;
    if (bytes <= most) return;
    const megabytes = Math.floor(most / 1024 / 1024);
    throw new ServiceError(
      "too_large",
      `The runs of this batch hold more than ${megabytes} MB, with their assistants' configs and metadata. Send fewer runs at once.`,
    );
  };
}
