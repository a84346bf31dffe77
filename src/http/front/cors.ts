import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import { studioOrigins } from "../../auth/studio.ts";
import type { CorsOptions } from "../../registry/http-options.ts";

/**
 * The response headers that web pages may read. The SDK uses these headers to find the id of its run, to reconnect, and to request the next
 * page of a list.
 */
const exposed = ["content-location", "location", "x-pagination-total", "x-pagination-total-estimated", "x-pagination-next", "x-thread-id"];

/**
 * The origins of public web apps with which people use their own service. `http.cors.allow_origins` replaces this list, even if the setting
 * is an empty list.
 */
export const defaultOrigins = ["https://agentchat.vercel.app", ...studioOrigins];

const loopbackOrigin = /^https?:\/\/(localhost|([\w-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** The origins whose pages may use the service. */
export interface AllowedOrigins {
  /** True if every origin is allowed. */
  all: boolean;
  listed: (string | RegExp)[];
}

/**
 * Returns the origins whose pages may use the service, according to `http.cors`.
 * - With auth, every origin is allowed unless `http.cors` lists origins. A page can do nothing without the user's credentials.
 * - Without auth, only the listed origins are allowed, and the pages of this machine. If `http.cors` has no list, the default origins are
 *   allowed in its place.
 */
export function allowedOrigins({ allow_origins, allow_origin_regex }: CorsOptions, hasAuth: boolean): AllowedOrigins {
  const isSet = allow_origins !== undefined || allow_origin_regex !== undefined;
  const named = [...(allow_origins ?? []), ...(allow_origin_regex ? [new RegExp(allow_origin_regex)] : [])];
  if (hasAuth) return { all: !isSet || named.includes("*"), listed: named };
  return { all: named.includes("*"), listed: [...(isSet ? named : defaultOrigins), loopbackOrigin] };
}

/** Tells whether `listed` contains this origin. Ignores `all`, so the result can be false although every origin is allowed. */
export const isListed = ({ listed }: AllowedOrigins, origin: string): boolean =>
  listed.some((one) => (one instanceof RegExp ? one.test(origin) : one === origin));

export async function allowBrowsers(app: FastifyInstance, options: CorsOptions, { all, listed }: AllowedOrigins): Promise<void> {
  await app.register(cors, {
    origin: all ? "*" : listed,
    methods: options.allow_methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: [...exposed, ...(options.expose_headers ?? [])],
    strictPreflight: false,
    ...(options.allow_headers && { allowedHeaders: options.allow_headers }),
    ...(options.allow_credentials !== undefined && { credentials: options.allow_credentials }),
    ...(options.max_age !== undefined && { maxAge: options.max_age }),
  });
}

/** Returns the CORS headers for a response of the project's own app to a page of this origin. */
export function corsHeaders(options: CorsOptions, allowed: AllowedOrigins, origin: string): Record<string, string> {
  if (!allowed.all && !isListed(allowed, origin)) return {};
  return {
    "access-control-allow-origin": allowed.all ? "*" : origin,
    "access-control-expose-headers": [...exposed, ...(options.expose_headers ?? [])].join(", "),
    ...(options.allow_credentials && { "access-control-allow-credentials": "true" }),
    ...(!allowed.all && { vary: "Origin" }),
  };
}
