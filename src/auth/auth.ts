import type { IncomingHttpHeaders } from "node:http";
import type { Scope } from "../db/scope.ts";
import type { User } from "./user.ts";

/**
 * The actions about which auth handlers decide. Runs have no actions of their own, because an action on a run counts as an action on its
 * thread.
 */
export type AuthEvent =
  | `assistants:${"create" | "read" | "update" | "delete" | "search"}`
  | `threads:${"create" | "read" | "update" | "delete" | "search" | "create_run"}`
  | `crons:${"create" | "read" | "update" | "delete" | "search"}`
  | `store:${"put" | "get" | "search" | "delete" | "list_namespaces"}`;

/** The parts of a request that identify its user. */
export interface Credentials {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** Identifies users and decides what they may do. Both functions throw an AuthRefusal to refuse. */
export interface Auth {
  /**
   * Where users may send credentials. "headers" means only in headers, which a foreign web page cannot send. "custom" means that the
   * project's own auth decides, so credentials may also be in cookies.
   */
  proof: "headers" | "custom";
  /** The kinds of credentials that users can have. The console uses this list to ask for a credential of the right kind. */
  accepts: ("api-key" | "token" | "custom")[];
  authenticate(credentials: Credentials): Promise<User>;
  /**
   * Returns the scope of the rows on which the user may perform the action. `value` holds the request's data for the action. An auth
   * handler may change this data.
   */
  authorize(user: User, event: AuthEvent, value: object): Promise<Scope>;
}

/** The error by which auth refuses a request. It holds the status and headers of the response. */
export class AuthRefusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, sentence: string, headers: Record<string, string> = {}) {
    super(sentence);
    this.name = "AuthRefusal";
    this.status = status;
    this.headers = headers;
  }
}

export const notSignedIn = (sentence: string) => new AuthRefusal(401, sentence, { "www-authenticate": "Bearer" });
export const forbidden = () => new AuthRefusal(403, "Forbidden");
