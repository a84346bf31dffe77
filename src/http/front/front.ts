import type { IncomingMessage, ServerResponse } from "node:http";
import { type Context, type ErrorHandler, Hono, type HonoRequest } from "hono";
import type { Logger } from "pino";
import type { Auth } from "../../auth/auth.ts";
import type { User } from "../../auth/user.ts";
import { ServiceError } from "../../errors.ts";
import { isFeedbackPath } from "../../feedback/tokens.ts";
import type { FetchHandler, UserApp } from "../../registry/user-app.ts";
import type { UiBundles } from "../../ui/bundles.ts";
import { type Admission, type Admitted, admit, refusalOf, tellUser, withGuardedRoutes } from "../admission/admission.ts";
import { pathOf } from "../answers/answer-errors.ts";
import type { Gate } from "./gate.ts";
import type { MemoryFetch } from "./memory-fetch.ts";
import { sendResponse, toRequest } from "./web-bridge.ts";

/** The objects that a Hono app receives with each request. `incoming` and `outgoing` have the same names as in Hono's own Node server. */
interface Env {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  user?: User | undefined;
}

type Answer = (request: Request, env: Env) => Promise<Response>;

export interface FrontOptions {
  /** Sends a request to our own routes. */
  forward: MemoryFetch["fetch"];
  gate: Gate;
  ui: UiBundles | undefined;
  auth: Auth | undefined;
  admission: Admission;
  admitted: Admitted;
  /** Returns the CORS headers for a response of the project's app. */
  corsHeaders: (origin: string) => Record<string, string>;
  bodyLimitBytes: number;
  log: Logger;
}

/**
 * Returns a listener that passes each request to the project's app first. If the app is a Hono app, the app's middleware also runs for
 * requests to our routes.
 */
export function frontListener(app: UserApp, options: FrontOptions): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const answer = admitFirst("hono" in app ? aroundOurs(app.hono, options) : beforeOurs(app.handler, options), options);
  return (incoming, outgoing) => void serve(answer, options, { incoming, outgoing }).catch(() => outgoing.destroy());
}

/** Sends the request to our own routes and returns their response. */
async function forwardToOurs({ forward, admitted }: FrontOptions, request: Request, { incoming, outgoing, user }: Env): Promise<Response> {
  const prepare = (connection: object) => {
    Object.assign(connection, { remoteAddress: incoming.socket.remoteAddress });
    if (user) admitted.set(connection, user);
  };
  return forward(request, prepare).catch(() => {
    outgoing.destroy(); // cuts the client's connection, because a complete response would hide that our response broke off
    return new Response(null, { status: 502 });
  });
}

async function serve(answer: Answer, options: FrontOptions, { incoming, outgoing }: Env): Promise<void> {
  const { log, gate } = options;
  outgoing.on("error", () => {}); // after a connection error, the `close` event follows as well
  const request = readRequest(incoming, outgoing);
  if (!request) {
    outgoing.writeHead(400, { "content-type": "text/plain; charset=utf-8" }).end("The request's method, host or path is not valid.");
    return;
  }
  try {
    const sentence = gate(incoming);
    if (sentence !== undefined) throw new ServiceError("forbidden", sentence);
    const response = await answer(request, { incoming, outgoing });
    if (outgoing.headersSent || outgoing.destroyed) await response.body?.cancel();
    else await sendResponse(withCors(response, request, options), outgoing);
  } catch (err) {
    if (outgoing.destroyed) return; // the client has disconnected
    const refusal = refusalOf(err, request);
    if (!refusal) log.error({ err, path: pathOf(incoming.url ?? "") }, "http.app failed");
    if (outgoing.headersSent) outgoing.destroy();
    else await sendResponse(withCors(refusal ?? failure(), request, options), outgoing);
  }
}

/**
 * If `admission` is "first", returns a handler that authenticates each request before the app receives it. A preflight carries no
 * credentials, so the handler passes it to our own routes. Otherwise, returns `answer` unchanged.
 */
function admitFirst(answer: Answer, options: FrontOptions): Answer {
  if (options.auth === undefined || options.admission !== "first") return answer;
  return async (request, env) => {
    if (request.method === "OPTIONS") return forwardToOurs(options, request, env);
    let user: User | undefined;
    try {
      user = await admit(options, request);
    } catch (error) {
      if (!isConsolePath(request) && !isFeedbackPath(new URL(request.url).pathname)) throw error;
      return forwardToOurs(options, request, env); // our route at this path is public, but the app's may not be, so the app is skipped
    }
    return answer(request, { ...env, user });
  };
}

const isConsolePath = ({ method, url }: Request) => method === "GET" && /^\/console(\/|$)/.test(new URL(url).pathname);

const failure = () => new Response("Internal Server Error", { status: 500 });

function readRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request | undefined {
  try {
    return toRequest(incoming, outgoing);
  } catch {
    return undefined;
  }
}

/** Adds the CORS headers to a response of the project's app. Responses of our own routes already have them. */
function withCors(response: Response, request: Request, { corsHeaders }: FrontOptions): Response {
  const origin = request.headers.get("origin");
  if (origin === null || response.headers.has("access-control-allow-origin")) return response;
  const allowed = Object.entries(corsHeaders(origin));
  if (allowed.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of allowed) headers.append(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/**
 * Returns a handler that runs our routes inside a Hono app. A request goes to the project's routes first, and to our routes if none of them
 * matches. The project's middleware runs for both.
 */
function aroundOurs(app: Hono, options: FrontOptions): Answer {
  const documents = new WeakMap<HonoRequest, Promise<unknown>>();
  const outer = new Hono<{ Bindings: Env }>();
  const onError: ErrorHandler = (err, context) => {
    if ("getResponse" in err) return err.getResponse();
    options.log.error({ err, path: context.req.path }, "http.app failed");
    return context.text("Internal Server Error", 500);
  };
  outer.onError(onError);
  if (hasDefaultErrorHandler(app)) app.onError(onError); // Hono's default handler writes to the console, not to our log
  outer.use((context, next) => {
    shareDocument(context.req, documents);
    tellUser(context, context.env.user);
    return next();
  });
  outer.route("/", options.admission === "routes" ? withGuardedRoutes(app, guard(options)) : app);
  outer.all("*", async ({ req, env }) => forwardToOurs(options, await changedRequest(req, documents.get(req)), env));
  return async (request, env) => outer.fetch(request, env);
}

const guard = (options: FrontOptions) => async (context: Context) => {
  try {
    tellUser(context, await admit(options, context.req.raw));
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error, context.req.raw);
    if (!refusal) throw error;
    return refusal;
  }
};

/**
 * Makes all middleware and our routes share one parsed body. If one middleware changes the body, the next middleware and our routes see the
 * change.
 */
function shareDocument(req: HonoRequest, documents: WeakMap<HonoRequest, Promise<unknown>>): void {
  const parse = req.json.bind(req);
  const json = () => {
    const document = documents.get(req) ?? parse();
    documents.set(req, document);
    return document;
  };
  Object.defineProperty(req, "json", { value: json });
}

function hasDefaultErrorHandler(app: Hono): boolean {
  try {
    return Reflect.get(app, "errorHandler") === Reflect.get(Reflect.construct(app.constructor, []), "errorHandler");
  } catch {
    return false; // the app's class is not Hono itself, because its constructor needs arguments
  }
}

/** Returns the request that our routes receive, with the body as the middleware has read or changed it. */
async function changedRequest(req: HonoRequest, document: Promise<unknown> | undefined): Promise<Request> {
  const changed = document && (await document.then(JSON.stringify).catch(() => undefined)); // if the body is not JSON, our routes refuse it
  if (changed !== undefined) return withBody(req.raw, changed);
  if (Object.keys(req.bodyCache).length > 0) return withBody(req.raw, await req.arrayBuffer());
  if (req.raw.bodyUsed)
    throw new Error("A middleware has read the request's raw body, which can be read only once. Use c.req.json() or c.req.text() there.");
  return req.raw;
}

function withBody({ url, method, headers: given, signal }: Request, body: BodyInit): Request {
  const headers = new Headers(given);
  headers.delete("content-length");
  return new Request(url, { method, headers, signal, ...(method !== "GET" && method !== "HEAD" && { body }) });
}

/**
 * Returns a handler for an app that is not a Hono app. The app receives each request first. If the app responds with a 404, our routes
 * handle the request.
 */
function beforeOurs(handler: FetchHandler, options: FrontOptions): Answer {
  return async (request, env) => {
    const body = request.body && (await readUpTo(request.body, options.bodyLimitBytes));
    if (body === "too long") return new Response("Payload Too Large", { status: 413 });
    const again = () => (body ? withBody(request, body) : request);
    const response = await handler(again(), env);
    if (!isResponse(response)) throw new TypeError("http.app did not answer with a Response.");
    if (response.status !== 404) return response;
    await response.body?.cancel();
    return forwardToOurs(options, again(), env);
  };
}

/**
 * Reads a body into memory, because both the app and our routes may read it. Returns "too long" if the body has more than `limit` bytes.
 */
async function readUpTo(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer> | "too long"> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > limit) return "too long";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value && "body" in value;
}
