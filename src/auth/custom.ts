import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { everything, type Scope } from "../db/scope.ts";
import { ServiceError } from "../errors.ts";
import { type Auth, type AuthEvent, AuthRefusal, type Credentials, forbidden, notSignedIn } from "./auth.ts";
import { scopeOf } from "./filter.ts";
import type { User } from "./user.ts";

type Callback = (asked: {
  event: AuthEvent;
  resource: string;
  action: string;
  value: object;
  user: User;
  permissions: string[];
}) => unknown;

/** A handler that takes longer than this will not answer. */
const handlerMs = 30_000;

const isFunction = (value: unknown) => typeof value === "function";

/** The SDK's `Auth`, told by what it carries: a project may have a copy of the SDK of its own. */
const SdkAuth = z.object({
  "~handlerCache": z.object({
    authenticate: z.custom<(request: Request) => unknown>(isFunction, "has no authenticate handler: nobody could be told apart"),
    callbacks: z.record(z.string(), z.custom<Callback>(isFunction)).default({}),
  }),
});

/** What authenticate may answer. Whatever else it says of the user is passed on to handlers and graphs. */
const Identified = z.preprocess(
  (answer) => (typeof answer === "string" ? { identity: answer } : answer),
  z.looseObject({
    identity: z.string(),
    permissions: z.array(z.string()).nullish(),
    display_name: z.string().nullish(),
    is_authenticated: z.boolean().nullish(),
  }),
);

/** The SDK's HTTPException, told by what it carries. */
const Refused = z.object({ status: z.number().int().min(400).max(599), message: z.string(), headers: z.unknown() });

/** Auth as the project wrote it with the SDK. */
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
    authenticate: async (credentials) => toUser(await call(() => authenticate(toWebRequest(credentials)))),
    async authorize(user, event, value) {
      const callback = handlerOf(callbacks, event);
      if (!callback) return everything;
      const [resource = "", action = ""] = event.split(":");
      return toScope(await call(() => callback({ event, resource, action, value, user, permissions: user.permissions })));
    },
  };
}

/** One handler only: the most particular there is. */
function handlerOf(callbacks: Record<string, Callback>, event: AuthEvent): Callback | undefined {
  const [resource, action] = event.split(":");
  const key = [event, resource, `*:${action}`, "*"].find((name) => name !== undefined && Object.hasOwn(callbacks, name));
  return key === undefined ? undefined : callbacks[key];
}

/** Whatever a handler throws on purpose has a status. The rest is a fault of its own, and nobody's permission. */
async function call(handler: () => unknown): Promise<unknown> {
  const late = new AbortController();
  const tooLate = sleep(handlerMs, undefined, { signal: late.signal }).then(() => {
    throw new ServiceError("unavailable", "Whoever decides about this request does not answer.");
  });
  try {
    return await Promise.race([(async () => handler())(), tooLate]);
  } catch (error) {
    const refused =
      error instanceof Error ? Refused.safeParse({ status: undefined, headers: undefined, ...error, message: error.message }) : undefined;
    if (!refused?.success) throw error;
    const { status, message, headers } = refused.data;
    throw new AuthRefusal(status, message, Object.fromEntries(new Headers((headers ?? {}) as HeadersInit)));
  } finally {
    late.abort();
  }
}

function toUser(answer: unknown): User {
  const parsed = Identified.safeParse(answer);
  if (!parsed.success) {
    if (answer === null || answer === undefined || answer === false) throw notSignedIn("Unauthorized");
    throw new Error("authenticate answered neither a string nor an object with an identity.");
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

function toScope(answer: unknown): Scope {
  if (answer === null || answer === undefined || answer === true) return everything;
  if (answer === false) throw forbidden();
  if (typeof answer !== "object")
    throw new Error(`An auth handler answered ${typeof answer}; it may answer a filter, a boolean or nothing.`);
  return scopeOf(answer);
}

/** Without the body: who is asking is decided before that is read. */
function toWebRequest({ method, url, headers }: Credentials): Request {
  const given = new Headers();
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) given.append(name, one);
  const origin = URL.canParse(`http://${headers.host}`) ? `http://${headers.host}` : "http://localhost";
  return new Request(new URL(url, origin), { method, headers: given });
}
