import type { User } from "../auth/user.ts";
import { everything, type Scope } from "../db/scope.ts";

/** For whom a run is made, and of what they may make it. */
export interface Caller {
  /** Null where nobody is asked who they are. */
  user: User | null;
  threads: Scope;
  assistants: Scope;
}

/** The service itself, for somebody who was asked when they ordered it: a cron, a question with a timer. */
export const onBehalfOf = (user: User | null): Caller => ({ user, threads: everything, assistants: everything });
