/** A request for resources that can never be served: a bad amount, an unknown resource, or more than its capacity. */
export class ResourceError extends Error {
  override readonly name: string = "ResourceError";
}

/** A request for resources that has waited for too long. */
export class ResourceTimeoutError extends ResourceError {
  override readonly name = "ResourceTimeoutError";
  /** The names of the resources that were too scarce. */
  readonly resources: string[];

  constructor(message: string, resources: string[]) {
    super(message);
    this.resources = resources;
  }
}

/** A request for resources that was ended because it waited in a circle with others. */
export class DeadlockError extends ResourceError {
  override readonly name = "DeadlockError";
  /** The names of the resources for which the request waited. */
  readonly resources: string[];

  constructor(message: string, resources: string[]) {
    super(message);
    this.resources = resources;
  }
}
