import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Auth, type AuthEvent, AuthRefusal } from "../../auth/auth.ts";
import type { User } from "../../auth/user.ts";
import { everything, nothingAtAll, type Scope } from "../../db/scope.ts";
import { documentPath } from "../document.ts";
import type { Admitted } from "./admission.ts";

/** Who may use a route: anybody, whoever is signed in, or whoever these decisions let. */
export type Access = "public" | "signed-in" | AuthEvent[];

/** For the options of a route that takes these decisions. */
export const access = (...decisions: AuthEvent[]): { access: Access } => ({ access: decisions });

/** Of a row that this request has made itself, or found in its scope before it changed it. */
export const alreadyDecided: Scope = everything;

/** What was decided: of which rows the caller may do this, and what is to be done, as the project's handler left it. */
export interface Decision<Value> {
  scope: Scope;
  value: Value;
}

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who is asking; null where nobody is asked who they are. */
    user: User | null;
    /** The decisions that were taken for this request. */
    decided: AuthEvent[];
    /** Decides whether the caller may do this, and on which rows. The only way to a scope for the routes. */
    access<Value extends object>(event: AuthEvent, value: Value): Promise<Decision<Value>>;
    /** Asks once more who is asking, for what stays open longer than a token may be good. */
    askAgain(): Promise<void>;
  }
}

/**
 * Puts auth before every route. A route without `config.access` cannot be registered, and one that names decisions cannot answer well
 * without having taken one. Register it before the routes.
 */
export function guardRoutes(app: FastifyInstance, auth: Auth | undefined, admitted: Admitted): void {
  app.decorateRequest("user", null);
  app.decorateRequest("decided");
  app.decorateRequest("access", async function <Value extends object>(this: FastifyRequest, event: AuthEvent, value: Value) {
    const scope = await decide(auth, this, event, value);
    return { scope: this.user ? { ...scope, user: this.user } : scope, value };
  });

  app.decorateRequest("askAgain", async function (this: FastifyRequest) {
    if (auth) this.user = await auth.authenticate(credentialsOf(this));
  });

  app.addHook("onRoute", (route) => {
    const { url, method, config } = route;
    if (url.startsWith(documentPath)) route.config = { ...config, access: "signed-in" };
    else if (config?.access === undefined) throw new Error(`${method} ${url} does not say who may use it (config.access).`);
  });
  app.addHook("onRequest", async (request) => {
    request.decided = [];
    if (auth && request.headers["webhook-id"] !== undefined) throw webhookRefused();
    if (!auth || request.routeOptions.config.access === "public") return;
    request.user = admitted.get(request.raw.socket) ?? (await auth.authenticate(credentialsOf(request)));
  });
  app.addHook("onSend", async ({ routeOptions, decided }, reply) => {
    if (reply.statusCode >= 400) return; // it may have been refused before anything was to be decided
    const isForgotten = Array.isArray(routeOptions.config.access) && decided.length === 0;
    if (isForgotten) throw new Error(`${routeOptions.method} ${routeOptions.url} answers without a decision.`);
  });
}

/** Whoever makes a run says where its webhook goes, and it comes with the service's own key: what it would do here, its maker might not. */
const webhookRefused = () => new AuthRefusal(403, "A webhook leads to a route of the project's own, not into this API.");

const credentialsOf = ({ method, raw, headers }: FastifyRequest) => ({ method, url: raw.url ?? "/", headers });

async function decide(auth: Auth | undefined, request: FastifyRequest, event: AuthEvent, value: object): Promise<Scope> {
  const { access } = request.routeOptions.config;
  if (!Array.isArray(access) || !access.includes(event))
    throw new Error(`${request.routeOptions.url} does not declare that it decides ${event}.`);
  if (!request.decided.includes(event)) request.decided.push(event); // a stream decides the same time and again
  if (!auth) return everything;
  if (!request.user) throw new Error(`${request.routeOptions.url} decides before it knows who is asking.`);
  return auth.authorize(request.user, event, value);
}

/** Of which rows the caller may do this: of none, if they may not at all. For what is answered as if it were not there. */
export async function scopeOrNone(request: FastifyRequest, event: AuthEvent, value: object): Promise<Scope> {
  const decision = await request.access(event, value).catch((error) => {
    if (error instanceof AuthRefusal) return { scope: nothingAtAll };
    throw error;
  });
  return decision.scope;
}

/**
 * Of which assistants the caller may make runs. Those that the graphs bring with them are for everybody who may make runs at all, and
 * of what the caller may not read nothing can be made.
 */
export async function usableAssistants(request: FastifyRequest, assistantId: string, isOfGraph: boolean): Promise<Scope> {
  return isOfGraph ? everything : scopeOrNone(request, "assistants:read", { assistant_id: assistantId });
}
