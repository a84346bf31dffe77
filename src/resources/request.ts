import { z } from "zod";
import { ResourceError } from "./errors.ts";
import { mostUnits, ResourceName } from "./limit.ts";

const longestWaitSeconds = 86_400;

/** The options of a request for resources. */
export interface ResourceOptions {
  /** The number of seconds that the request may wait, at most a day. Default: 60. */
  waitSeconds?: number | undefined;
  /** The priority of the request, from 1 to 5. Requests with a higher number are served first. Default: the priority of the run. */
  priority?: number | undefined;
  /** True to skip the work instead of waiting for its resources. */
  skip?: boolean | undefined;
}

const Options = z.strictObject({
  waitSeconds: z.number().min(0).max(longestWaitSeconds).optional(),
  priority: z.number().int().min(1).max(5).optional(),
  skip: z.boolean().optional(),
});

/** The needs and options of a validated request. The needs are sorted by the names of the resources. */
export interface ValidRequest extends ResourceOptions {
  needs: [name: string, amount: number][];
}

/** Validates a request for resources. Throws an error that names the mistake. */
export function readRequest(needs: Record<string, number>, options: ResourceOptions): ValidRequest {
  if (typeof needs !== "object" || needs === null || Array.isArray(needs))
    throw new ResourceError('The resources must be an object of names and amounts, such as { "db": 1 }.');
  const entries = Object.entries(needs);
  for (const [name, amount] of entries) checkNeed(name, amount);
  const { data, error } = Options.safeParse(options);
  if (error) throw new ResourceError(`The options of a request for resources are wrong: ${z.prettifyError(error).replaceAll("\n", " ")}.`);
  return { ...data, needs: entries.toSorted(([one], [other]) => (one < other ? -1 : 1)) };
}

function checkNeed(name: string, amount: unknown): void {
  const { error } = ResourceName.safeParse(name);
  if (error) throw new ResourceError(`${JSON.stringify(name)} is not the name of a resource: it ${error.issues[0]?.message}.`);
  if (!Number.isInteger(amount) || Number(amount) < 1 || Number(amount) > mostUnits)
    throw new ResourceError(
      `The amount of "${name}" must be a whole number from 1 to ${mostUnits}, but it is ${JSON.stringify(amount) ?? String(amount)}.`,
    );
}
