import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";

/** The user who creates a run, and the scopes of the threads and assistants that this user may use. */
export interface Caller {
  /** The authenticated user. Null if the service runs without auth. */
  user: User | null;
  threads: Scope;
  assistants: Scope;
}

/**
 * Returns the caller for runs that the service creates later for a user, such as the runs of a cron. This caller may use all threads and
 * assistants, because auth checked the access when the user created the cron.
 */
export const onBehalfOf = (user: User | null): Caller => ({ user, threads: everything, assistants: everything });
