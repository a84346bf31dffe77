import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";

/** The user that a run belongs to, and the threads and assistants that this user may use. */
export interface Caller {
  /** Null if the service runs without auth. */
  user: User | null;
  threads: Scope;
  assistants: Scope;
}

/**
 * Returns the caller for runs that the service makes later for a user, such as the runs of a cron. Auth was checked when the user created
 * the cron, so every row is visible here.
 */
export const onBehalfOf = (user: User | null): Caller => ({ user, threads: everything, assistants: everything });
