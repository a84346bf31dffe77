import type { Context, Hono, MiddlewareHandler } from "hono";
import { type Auth, AuthRefusal } from "../../auth/auth.ts";
import type { User } from "../../auth/user.ts";
import { ServiceError } from "../../errors.ts";
import type { HttpOptions } from "../../registry/http-options.ts";
import { isBundlePath, type UiBundles } from "../../ui/bundles.ts";
import { errorOf, isOpenAiPath } from "../openai/errors.ts";

/**
 * Maps the connection of a request to the request's user, if the user was authenticated before the project's own app ran. Our routes come
 * after that app, and need not authenticate this user again.
 */
export type Admitted = WeakMap<object, User>;

/**
 * When a request to the project's own app is authenticated:
 * - "first": before the app
 * - "routes": after the app's middleware and before the app's routes
 * - "never": not at all, unless one of our own routes handles the request
 */
export type Admission = "first" | "routes" | "never";

/**
 * Returns the moment at which requests to the project's app are authenticated. "routes" needs a Hono app, because only a Hono app
 * distinguishes middleware from routes. `use` and `all` add middleware, and every other method adds a route.
 */
export function admissionOf({ middleware_order, enable_custom_route_auth }: HttpOptions, isHono: boolean): Admission {
  if (enable_custom_route_auth === false) return "never";
  return isHono && middleware_order === "middleware_first" ? "routes" : "first";
}

/** Authenticates a request and returns its user. Returns undefined if the service runs without auth, or if the path is public. */
export async function admit(
  { auth, ui }: { auth: Auth | undefined; ui: UiBundles | undefined },
  { method, url, headers }: Request,
): Promise<User | undefined> {
  const { pathname, search } = new URL(url);
  const isPublic = method === "GET" && (pathname === "/info" || isBundlePath(ui, pathname));
  if (!auth || isPublic) return undefined;
  return auth.authenticate({ method, url: pathname + search, headers: Object.fromEntries(headers) });
}

/**
 * Returns a web Response for an error that refuses a request, in the form that our own routes use. Returns undefined for any other error.
 */
export function refusalOf(error: unknown, request: Request): Response | undefined {
  if (!(error instanceof AuthRefusal) && !(error instanceof ServiceError)) return undefined;
  const { status, message } = error;
  const headers = error instanceof AuthRefusal ? error.headers : {};
  if (isOpenAiPath(new URL(request.url).pathname)) return Response.json({ error: errorOf(status, message) }, { status, headers });
  const wantsJson = request.headers.get("accept")?.includes("application/json");
  return wantsJson ? Response.json({ detail: message }, { status, headers }) : new Response(message, { status, headers });
}

/** Passes the user to the routes of the project's app, in the context variable `auth`, like the official LangGraph server. */
export function tellUser(context: Context, user: User | undefined): void {
  if (user) context.set("auth", { user, scopes: user.permissions });
}

/** Returns the app with `guard` before each of the app's routes. The app's middleware runs before the guard. */
export function withGuardedRoutes(app: Hono, guard: (context: Context) => Promise<Response | undefined>): Hono {
  const guarded = (handler: MiddlewareHandler): MiddlewareHandler => {
    return async (context, next) => (await guard(context)) ?? handler(context, next);
  };
  // OPTIONS is open, because a browser's preflight request carries no credentials.
  const isOpen = (method: string) => method === "ALL" || method === "OPTIONS";
  const routes = app.routes.map((route) => (isOpen(route.method) ? route : { ...route, handler: guarded(route.handler) }));
  return Object.create(app, { routes: { value: routes } });
}
