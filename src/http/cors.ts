import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import type { CorsOptions } from "../registry/http-options.ts";

/** Browsers may read these: by them the SDK finds its run, reconnects and pages. */
const exposed = ["content-location", "location", "x-pagination-total", "x-pagination-total-estimated", "x-pagination-next"];

export async function allowBrowsers(app: FastifyInstance, options: CorsOptions): Promise<void> {
  await app.register(cors, {
    origin: allowedOrigins(options),
    methods: options.allow_methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: [...exposed, ...(options.expose_headers ?? [])],
    strictPreflight: false,
    ...(options.allow_headers && { allowedHeaders: options.allow_headers }),
    ...(options.allow_credentials !== undefined && { credentials: options.allow_credentials }),
    ...(options.max_age !== undefined && { maxAge: options.max_age }),
  });
}

/** The same for an answer that is none of our routes': what a browser at this origin must be told. */
export function corsHeaders(options: CorsOptions, origin: string): Record<string, string> {
  const allowed = allowedOrigins(options);
  if (allowed !== "*" && !allowed.some((one) => (typeof one === "string" ? one === origin : one.test(origin)))) return {};
  return {
    "access-control-allow-origin": allowed === "*" ? "*" : origin,
    "access-control-expose-headers": [...exposed, ...(options.expose_headers ?? [])].join(", "),
    ...(options.allow_credentials && { "access-control-allow-credentials": "true" }),
    ...(allowed !== "*" && { vary: "Origin" }),
  };
}

function allowedOrigins({ allow_origins, allow_origin_regex }: CorsOptions): "*" | (string | RegExp)[] {
  const listed = allow_origins?.filter((origin) => origin !== "*") ?? [];
  const patterns = allow_origin_regex ? [new RegExp(allow_origin_regex)] : [];
  if (allow_origins?.includes("*") || (listed.length === 0 && patterns.length === 0)) return "*";
  return [...listed, ...patterns];
}

/** As much of a request for a WebSocket as says which page it comes from. */
export interface SocketOrigin {
  origin: string | undefined;
  host: string | undefined;
  /** It carries a cookie by which somebody may be known. */
  hasCookie: boolean;
}

/**
 * Whether a page may open a WebSocket. Browsers ask nobody before they do and send their cookies along, so the rule that keeps other
 * pages from reading answers has to be applied here; where all origins are allowed, that is without cookies.
 */
export function mayOpenSocket(options: CorsOptions = {}, { origin, host, hasCookie }: SocketOrigin): boolean {
  if (origin === undefined || isOwn(origin, host)) return true;
  const allowed = allowedOrigins(options);
  if (!Array.isArray(allowed)) return !hasCookie;
  return allowed.some((one) => (one instanceof RegExp ? one.test(origin) : one === origin));
}

const isOwn = (origin: string, host: string | undefined) => host !== undefined && origin.replace(/^https?:\/\//, "") === host;
