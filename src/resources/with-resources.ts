import type { RunnableConfig } from "@langchain/core/runnables";
import { type ResourceOptions, readRequest, type ValidRequest } from "./request.ts";

/** The key of `configurable` under which the nodes of a run find the service's resources. */
export const runResourcesKey = "__ensemble_resources";

/** Tells `work` how long its request for resources has waited. */
export interface ServedRequest {
  /** The milliseconds that the request waited. 0 if the request did not have to wait. */
  waitedMs: number;
}

/** The service's resources, for one attempt of a run. The worker puts this object into the run's `configurable`. */
export interface RunResources {
  /**
   * Calls `work` while the run holds the requested resources. Returns undefined if `skip` is set and the run would have to wait.
   */
  use<Result>(
    request: ValidRequest,
    work: (got: ServedRequest) => Result | Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result | undefined>;
}

/**
 * Calls `work` while the run holds units of shared resources, such as `{ db: 2, openai: 1 }`. The request gets all of its units together,
 * and holds none while it waits. The units of pools are free again when `work` has ended.
 *
 * Throws a `ResourceTimeoutError` if the request is not served within `waitSeconds`, and a `DeadlockError` if requests wait for each other.
 * With `skip`, returns undefined instead of waiting.
 *
 * Outside an Ensemble run there are no limits, so `work` is called immediately.
 */
export function withResources<Result>(
  config: RunnableConfig,
  needs: Record<string, number>,
  work: () => Result | Promise<Result>,
  options: ResourceOptions & { skip: boolean },
): Promise<Result | undefined>;
export function withResources<Result>(
  config: RunnableConfig,
  needs: Record<string, number>,
  work: () => Result | Promise<Result>,
  options?: ResourceOptions,
): Promise<Result>;
export async function withResources<Result>(
  config: RunnableConfig,
  needs: Record<string, number>,
  work: () => Result | Promise<Result>,
  options: ResourceOptions = {},
): Promise<Result | undefined> {
  const request = readRequest(needs, options);
  const resources: RunResources | undefined = config.configurable?.[runResourcesKey];
  return resources && request.needs.length > 0 ? resources.use(request, () => work(), config.signal) : work();
}
