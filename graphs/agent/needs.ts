import type { AsyncLocalStorage } from "node:async_hooks";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";

/**
 * A function that checks the name of a resource. Returns undefined if the service has this resource, and otherwise an error message. The
 * service provides the function while it validates a new run (see src/registry/needs-check.ts), because patterns do not know which
 * resources exist.
 */
type NeedsCheck = (resource: string) => string | undefined;

const key = Symbol.for("ensemble.needs");
const place = globalThis as { [key]?: AsyncLocalStorage<NeedsCheck> };

/** The schema of the resources that a piece of work needs. Without the service's check, any name is accepted. */
export const Needs = z
  .record(z.string().min(1).max(100), z.number().int().min(1).max(2_147_483_647))
  .superRefine((needs, context) => {
    const objectionTo = place[key]?.getStore();
    for (const name of Object.keys(needs)) {
      const message = objectionTo?.(name);
      if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
    }
  })
  .describe("Units of the service's resources, by name. The work waits until it has all of them, and gives them back when it ends.");
export type Needs = z.infer<typeof Needs>;

/** The schema of the longest time that a piece of work waits for its resources. */
export const NeedsWaitSeconds = z.number().min(0).max(86_400).describe("Seconds that the work waits for its resources. Default: 60");

/** The resources that a piece of work needs, and the longest time that the work waits for them. */
interface Needing {
  needs?: Needs | undefined;
  needsWaitSeconds?: number | undefined;
}

/** Tells whether a piece of work failed because the run could not get the resources that the work needs. */
export const isLackOfResources = ({ name }: Error): boolean => ["ResourceError", "ResourceTimeoutError", "DeadlockError"].includes(name);

/** The outcome of a successful request for resources. */
interface Got {
  /** The milliseconds that the request waited. 0 if the resources were free immediately. */
  waitedMs: number;
}

/** The resources of the service. The service passes this object in the run's `configurable`. */
interface RunResources {
  use<Result>(
    request: { needs: [string, number][]; waitSeconds?: number | undefined },
    work: (got?: Got) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result>;
}

/**
 * Acquires the resources in `needs`, does the work, and then releases the resources. Patterns cannot import the package's function
 * `withResources`, because it belongs to the service. Outside the service there are no limits.
 */
export async function withNeeds<Result>(
  { needs, needsWaitSeconds: waitSeconds }: Needing,
  { configurable, signal }: LangGraphRunnableConfig,
  work: (waitedMs: number) => Promise<Result>,
): Promise<Result> {
  const resources = configurable?.__ensemble_resources as RunResources | undefined;
  const entries = Object.entries(needs ?? {});
  if (!resources || entries.length === 0) return work(0);
  return resources.use({ needs: entries, waitSeconds }, (got) => work(got?.waitedMs ?? 0), signal);
}
