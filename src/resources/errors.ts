/**
 * The error of a request for resources that can never be served: a wrong amount, an unknown resource, or more than the resource's capacity.
 */
export class ResourceError extends Error {
  override readonly name: string = "ResourceError";
}

/** The error of a request for resources that has waited too long. */
export class ResourceTimeoutError extends ResourceError {
  override readonly name = "ResourceTimeoutError";
  /** The names of the resources that did not have enough free units. */
  readonly resources: string[];

  constructor(message: string, resources: string[]) {
    super(message);
    this.resources = resources;
  }
}

/** The error of a request for resources that was ended because it was part of a deadlock. */
export class DeadlockError extends ResourceError {
  override readonly name = "DeadlockError";
  /** The names of the resources that the request needs. */
  readonly resources: string[];

  constructor(message: string, resources: string[]) {
    super(message);
    this.resources = resources;
  }
}
