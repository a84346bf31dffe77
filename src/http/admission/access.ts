import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Auth, type AuthEvent, AuthRefusal } from "../../auth/auth.ts";
import type { User } from "../../auth/user.ts";
import { everything, nothingAtAll, type Scope } from "../../db/scope.ts";
import { documentPath } from "../document.ts";
import type { Admitted } from "./admission.ts";

/** Who may use a route: everyone, every authenticated user, or only users whom auth allows one of the listed actions. */
export type Access = "public" | "signed-in" | AuthEvent[];

/** Returns the `config` of a route that asks auth about these actions. */
export const access = (...decisions: AuthEvent[]): { access: Access } => ({ access: decisions });

/**
 * The scope for a row that this request has created or has already found with auth's scope. Auth need not decide about such a row again.
 */
export const alreadyDecided: Scope = everything;

/** Auth's decision: the scope of the rows on which the caller may act, and the value with the changes of the project's auth handler. */
export interface Decision<Value> {
  scope: Scope;
  value: Value;
}

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The authenticated user. Null on public routes, and if the service runs without auth. */
    user: User | null;
    /** The actions about which auth has decided in this request. */
    decided: AuthEvent[];
    /**
     * Asks auth whether the caller may perform this action, and on which rows. Only this method returns the scope of these rows, so a route
     * cannot forget to ask.
     */
    access<Value extends object>(event: AuthEvent, value: Value): Promise<Decision<Value>>;
    /** Authenticates the caller again, because a connection can stay open longer than a token is valid. */
    askAgain(): Promise<void>;
  }
}

/**
 * Makes auth check every route. A route without `config.access` cannot be registered. A route that declares actions cannot send a
 * successful response before it has asked auth. Call this function before the routes are registered.
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
    if (reply.statusCode >= 400) return; // the request may have failed before it asked auth
    const isForgotten = Array.isArray(routeOptions.config.access) && decided.length === 0;
    if (isForgotten) throw new Error(`${routeOptions.method} ${routeOptions.url} answers without a decision.`);
  });
}

/**
 * Returns the error for a webhook of this service whose URL leads back into the API. The creator of a run chooses the URL of the webhook,
 * but the operator chooses the webhook's headers. These headers may hold a key that allows more than the creator may do, so the API refuses
 * the request.
 */
const webhookRefused = () => new AuthRefusal(403, "A webhook leads to a route of the project's own, not into this API.");

const credentialsOf = ({ method, raw, headers }: FastifyRequest) => ({ method, url: raw.url ?? "/", headers });

async function decide(auth: Auth | undefined, request: FastifyRequest, event: AuthEvent, value: object): Promise<Scope> {
  const { access } = request.routeOptions.config;
  if (!Array.isArray(access) || !access.includes(event))
    throw new Error(`${request.routeOptions.url} does not declare that it decides ${event}.`);
  if (!request.decided.includes(event)) request.decided.push(event); // a stream asks about the same action repeatedly
  if (!auth) return everything;
  if (!request.user) throw new Error(`${request.routeOptions.url} decides before the caller is authenticated.`);
  return auth.authorize(request.user, event, value);
}

/**
 * Returns the scope of the rows on which the caller may perform the action. If auth refuses, the scope includes no rows, so that the caller
 * gets the same response as if no row existed.
 */
export async function scopeOrNone(request: FastifyRequest, event: AuthEvent, value: object): Promise<Scope> {
  const decision = await request.access(event, value).catch((error) => {
    if (error instanceof AuthRefusal) return { scope: nothingAtAll };
    throw error;
  });
  return decision.scope;
}

/**
 * Returns the scope of the assistants from which the caller may create runs. Everyone who may create runs may use the default assistants of
 * graphs. For any other assistant, the caller must have read access.
 */
export async function usableAssistants(request: FastifyRequest, assistantId: string, isOfGraph: boolean): Promise<Scope> {
  return isOfGraph ? everything : scopeOrNone(request, "assistants:read", { assistant_id: assistantId });
}
