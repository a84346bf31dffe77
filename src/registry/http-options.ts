import { z } from "zod";
import { unreadKeys } from "./unread-keys.ts";

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
}

const CorsOptions = z
  .object({
    allow_origins: z.array(z.string()).optional(),
    allow_methods: z.array(z.string()).optional(),
    allow_headers: z.array(z.string()).optional(),
    allow_credentials: z.boolean().optional(),
    allow_origin_regex: z.string().refine(isPattern, "is no regular expression").optional(),
    expose_headers: z.array(z.string()).optional(),
    max_age: z.number().optional(),
  })
  .loose();

const Patterns = z.array(z.string().min(1)).nullish();
/** The documentation writes them both with and without an s. */
const HeaderPatterns = z.object({ include: Patterns, includes: Patterns, exclude: Patterns, excludes: Patterns }).loose();

/** `http` in langgraph.json. */
export const HttpOptions = z
  .object({
    app: z.string().min(1).nullish(),
    cors: CorsOptions.nullish(),
    configurable_headers: HeaderPatterns.nullish(),
    logging_headers: HeaderPatterns.nullish(),
    mount_prefix: z
      .string()
      .regex(/^(\/[\w.~-]+)*\/?$/, 'must be a path like "/api"')
      .transform((prefix) => prefix.replace(/\/$/, ""))
      .nullish(),
    middleware_order: z.enum(["auth_first", "middleware_first"]).nullish(),
    enable_custom_route_auth: z.boolean().nullish(),
    disable_assistants: z.boolean().optional(),
    disable_threads: z.boolean().optional(),
    disable_runs: z.boolean().optional(),
    disable_store: z.boolean().optional(),
    disable_meta: z.boolean().optional(),
    disable_ui: z.boolean().optional(),
    disable_webhooks: z.boolean().optional(),
    disable_mcp: z.boolean().optional(),
    disable_a2a: z.boolean().optional(),
  })
  .loose();

export type HttpOptions = z.infer<typeof HttpOptions>;
export type CorsOptions = z.infer<typeof CorsOptions>;

/** Every key of `http` that has no effect here. That there is no MCP and no A2A is news only to who wants them. */
export function unreadHttpKeys(http: HttpOptions): string[] {
  const { cors, configurable_headers, logging_headers } = http;
  return [
    ...unreadKeys(http, Object.keys(HttpOptions.shape), "http."),
    ...unreadKeys(cors ?? {}, Object.keys(CorsOptions.shape), "http.cors."),
    ...unreadKeys(configurable_headers ?? {}, Object.keys(HeaderPatterns.shape), "http.configurable_headers."),
    ...unreadKeys(logging_headers ?? {}, Object.keys(HeaderPatterns.shape), "http.logging_headers."),
    ...(["disable_mcp", "disable_a2a"] as const).filter((key) => http[key] === false).map((key) => `http.${key}`),
  ];
}
