import type { IncomingHttpHeaders } from "node:http";
import type { Scope } from "../db/scope.ts";
import type { User } from "./user.ts";

/** What somebody can be about to do, as handlers are asked. What concerns runs is asked of their threads. */
export type AuthEvent =
  | `assistants:${"create" | "read" | "update" | "delete" | "search"}`
  | `threads:${"create" | "read" | "update" | "delete" | "search" | "create_run"}`
  | `crons:${"create" | "read" | "update" | "delete" | "search"}`
  | `store:${"put" | "get" | "search" | "delete" | "list_namespaces"}`;

/** As much of a request as says who is asking. */
export interface Credentials {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** Who is asking, and what they may see. Both throw an AuthRefusal. */
export interface Auth {
  /** Where the proof is: in headers that a foreign page does not have, or wherever the project's own auth looks, cookies included. */
  proof: "headers" | "custom";
  authenticate(credentials: Credentials): Promise<User>;
  /** Of which rows the user may do this. `value` is what is about to be done, and may be changed in place. */
  authorize(user: User, event: AuthEvent, value: object): Promise<Scope>;
}

/** A no, with the status and headers that it is to be answered with. */
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
