import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";

/** Who a run belongs to, and the threads and assistants they may use. */
export interface Caller {
  /** Null without auth. */
  user: User | null;
  threads: Scope;
  assistants: Scope;
}

/** Returns the caller for runs that the service makes later for a user, such as those of a cron. Auth was checked when they were ordered. */
export const onBehalfOf = (user: User | null): Caller => ({ user, threads: everything, assistants: everything });
