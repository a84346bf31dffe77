import type { Config } from "../config.ts";
import type { Project } from "../registry/project.ts";
import { retentionRules } from "../retention/retention-rules.ts";
import { version } from "../version.ts";
import { hostOf } from "../webhooks/webhook-rules.ts";
import { startCrons } from "../worker/crons.ts";
import { startRedrives } from "../worker/redrives.ts";
import { startResourceSweeper } from "../worker/resource-sweeper.ts";
import { startSweeper } from "../worker/sweeper.ts";
import { startTimers } from "../worker/timers.ts";
import { startWorker, type Worker } from "../worker/worker.ts";
import type { Closers } from "./closers.ts";

/** Starts all work of a worker. It executes runs, creates the runs of crons, timers and redriven dead letters, and sweeps old data. */
export async function startWork(
  config: Config,
  project: Project,
  url: string,
  deps: Parameters<typeof startWorker>[0],
  closers: Closers,
): Promise<Worker> {
  const { runTimeoutSeconds, graphWaitSeconds } = config;
  const sweeper = startSweeper(deps, { runTimeoutSeconds, graphWaitSeconds, rules: retentionRules(config, project) });
  closers.push(sweeper.stop);
  closers.push(startTimers(deps).stop);
  closers.push(startResourceSweeper(deps).stop);
  const defaults = { ...config, queueKeyPath: project.queues.keyPath };
  closers.push(startCrons(deps, defaults).stop);
  closers.push(startRedrives(deps, defaults).stop);
  const { alertWebhook } = project;
  const alertReceiver = alertWebhook === undefined ? undefined : { url: alertWebhook, host: hostOf(alertWebhook) };
  const worker = await startWorker(deps, url, { ...config, version, alertReceiver });
  closers.push(worker.stop);
  return worker;
}
