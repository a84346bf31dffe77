import type { IncomingHttpHeaders } from "node:http";
import type { Scope } from "../db/scope.ts";
import type { User } from "./user.ts";

/** The actions that handlers decide about. Actions on runs are decided on their threads. */
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

/** Identifies users and decides what they may do. Both functions throw an AuthRefusal. */
export interface Auth {
  /** The place of the credentials: headers that a foreign page cannot send, or wherever the project's auth looks, even in cookies. */
  proof: "headers" | "custom";
  authenticate(credentials: Credentials): Promise<User>;
  /** Returns the rows on which the user may perform the action. `value` is the action's content, which handlers may change in place. */
  authorize(user: User, event: AuthEvent, value: object): Promise<Scope>;
}

/** A refusal, with the status and headers of the response. */
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
