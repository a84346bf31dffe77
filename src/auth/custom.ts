import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { everything, type Scope } from "../db/scope.ts";
import { ServiceError } from "../errors.ts";
import { type Auth, type AuthEvent, AuthRefusal, type Credentials, forbidden, notSignedIn } from "./auth.ts";
import { scopeOf } from "./filter.ts";
import type { User } from "./user.ts";

type Callback = (request: {
  event: AuthEvent;
  resource: string;
  action: string;
  value: object;
  user: User;
  permissions: string[];
}) => unknown;

const handlerTimeoutMs = 30_000;

const isFunction = (value: unknown) => typeof value === "function";

/**
 * The `Auth` object of LangGraph's SDK. It is recognised by its fields and not by its class, because a project may use its own copy of
 * the SDK.
 */
const SdkAuth = z.object({
  "~handlerCache": z.object({
    authenticate: z.custom<(request: Request) => unknown>(isFunction, "has no authenticate handler: users could not be identified"),
    callbacks: z.record(z.string(), z.custom<Callback>(isFunction)).default({}),
  }),
});

/**
 * The schema of the result of the project's `authenticate` handler: a name, or an object with the user's fields. Unknown fields are kept,
 * and are passed on to the other handlers and to graphs.
 */
const Identified = z.preprocess(
  (result) => (typeof result === "string" ? { identity: result } : result),
  z.looseObject({
    identity: z.string(),
    permissions: z.array(z.string()).nullish(),
    display_name: z.string().nullish(),
    is_authenticated: z.boolean().nullish(),
  }),
);

/** The SDK's HTTPException. It is recognised by its fields and not by its class, because a project may use its own copy of the SDK. */
const Refused = z.object({ status: z.number().int().min(400).max(599), message: z.string(), headers: z.unknown() });

/** Returns the auth that the project has written with LangGraph's SDK. Throws if the exported object is not such an auth. */
export function customAuth(exported: unknown, name: string): Auth {
  const parsed = SdkAuth.safeParse(exported);
  if (!parsed.success) {
    const missing =
      parsed.error.issues[0]?.path.at(-1) === "authenticate"
        ? parsed.error.issues[0].message
        : "is no Auth of @langchain/langgraph-sdk/auth";
    throw new Error(`auth.path: ${name} ${missing}.`);
  }
  const { authenticate, callbacks } = parsed.data["~handlerCache"];
  return {
    proof: "custom",
    accepts: ["custom"],
    authenticate: async (credentials) => toUser(await call(() => authenticate(toWebRequest(credentials)))),
    async authorize(user, event, value) {
      const callback = handlerOf(callbacks, event);
      if (!callback) return everything;
      const [resource = "", action = ""] = event.split(":");
      return toScope(await call(() => callback({ event, resource, action, value, user, permissions: user.permissions })));
    },
  };
}

/** Returns the handler for an event. If several handlers match, the most specific one is chosen. */
function handlerOf(callbacks: Record<string, Callback>, event: AuthEvent): Callback | undefined {
  const [resource, action] = event.split(":");
  const key = [event, resource, `*:${action}`, "*"].find((name) => name !== undefined && Object.hasOwn(callbacks, name));
  return key === undefined ? undefined : callbacks[key];
}

/**
 * Calls an auth handler. If the handler throws an error with a status, the request is refused with that status. Any other error is a
 * fault of the handler, and the request fails.
 */
async function call(handler: () => unknown): Promise<unknown> {
  const done = new AbortController();
  const timeout = sleep(handlerTimeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new ServiceError("unavailable", `The auth handler did not answer within ${handlerTimeoutMs / 1000} seconds.`);
  });
  try {
    return await Promise.race([(async () => handler())(), timeout]);
  } catch (error) {
    const refused =
      error instanceof Error ? Refused.safeParse({ status: undefined, headers: undefined, ...error, message: error.message }) : undefined;
    if (!refused?.success) throw error;
    const { status, message, headers } = refused.data;
    throw new AuthRefusal(status, message, Object.fromEntries(new Headers((headers ?? {}) as HeadersInit)));
  } finally {
    done.abort();
  }
}

function toUser(result: unknown): User {
  const parsed = Identified.safeParse(result);
  if (!parsed.success) {
    if (result === null || result === undefined || result === false) throw notSignedIn("Unauthorized");
    throw new Error("authenticate returned neither a string nor an object with an identity.");
  }
  const { identity, permissions, display_name, is_authenticated, ...others } = parsed.data;
  return {
    ...others,
    identity,
    permissions: permissions ?? [],
    display_name: display_name ?? identity,
    is_authenticated: is_authenticated ?? true,
  };
}

function toScope(result: unknown): Scope {
  if (result === null || result === undefined || result === true) return everything;
  if (result === false) throw forbidden();
  if (typeof result !== "object")
    throw new Error(`An auth handler returned ${typeof result}. It must return a filter, a boolean or nothing.`);
  return scopeOf(result);
}

/** Returns the request in the form that auth handlers expect. It has no body, because users are authenticated before the body is read. */
function toWebRequest({ method, url, headers }: Credentials): Request {
  const given = new Headers();
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) given.append(name, one);
  const origin = URL.canParse(`http://${headers.host}`) ? `http://${headers.host}` : "http://localhost";
  return new Request(new URL(url, origin), { method, headers: given });
}
