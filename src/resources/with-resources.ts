import type { RunnableConfig } from "@langchain/core/runnables";
import { type ResourceOptions, readRequest, type ValidRequest } from "./request.ts";

/** The key of `configurable` under which the resources of the service are passed to the nodes of a run. */
export const runResourcesKey = "__ensemble_resources";

/** How a request was served. */
export interface ServedRequest {
  /** The milliseconds that the request waited. 0 if the resources were free at once. */
  waitedMs: number;
}

/** The resources of the service, as one run uses them. The worker puts this object into the run's `configurable`. */
export interface RunResources {
  /** Calls `work` while the run has the resources. Returns undefined if they are not free and the request does not wait for them. */
  use<Result>(
    request: ValidRequest,
    work: (got: ServedRequest) => Result | Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result | undefined>;
}

/**
 * Calls `work` while the run holds units of shared resources, such as `{ db: 2, openai: 1 }`. The request gets all of them or waits, and
 * holds nothing while it waits. The units of pools are free again when `work` has ended.
 *
 * Throws a `ResourceTimeoutError` if the resources cannot be had within `waitSeconds`, and a `DeadlockError` if requests wait for each
 * other. With `skip`, it returns undefined if the resources are not free at once.
 *
 * Outside an Ensemble run there are no limits, so `work` is called at once.
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
