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
    allow_origins: z
      .array(z.string())
      .optional()
      .describe('Origins whose pages may call the API. `[]` allows no origin, and `["*"]` allows all origins.'),
    allow_methods: z.array(z.string()).optional().describe("HTTP methods that pages of allowed origins may use."),
    allow_headers: z.array(z.string()).optional().describe("Request headers that pages of allowed origins may send."),
    allow_credentials: z.boolean().optional().describe("`true`: browsers may send credentials, such as cookies."),
    allow_origin_regex: z
      .string()
      .refine(isPattern, "is no regular expression")
      .optional()
      .describe("Regular expression that matches further allowed origins."),
    expose_headers: z.array(z.string()).optional().describe("Response headers that pages of allowed origins may read."),
    max_age: z.number().optional().describe("Seconds for which a browser may keep the answer to a preflight."),
  })
  .loose();

const Patterns = z.array(z.string().min(1)).nullish();
/** The schema of header patterns. Each key has two spellings, because LangGraph's documentation uses both. */
const HeaderPatterns = z
  .object({
    include: Patterns.describe("The same as `includes`."),
    includes: Patterns.describe("Names of headers to include. `*` stands for any characters."),
    exclude: Patterns.describe("The same as `excludes`."),
    excludes: Patterns.describe("Names of headers to exclude."),
  })
  .loose();

/** The schema of `http` in langgraph.json. */
export const HttpOptions = z
  .object({
    app: z.string().min(1).nullish().describe("File and export of your own app: `./app.ts:app`."),
    cors: CorsOptions.nullish().describe("Web pages that may call the API."),
    configurable_headers: HeaderPatterns.nullish().describe("Request headers that runs see in `configurable`."),
    logging_headers: HeaderPatterns.nullish().describe("Request headers that the log contains."),
    mount_prefix: z
      .string()
      .regex(/^(\/[\w.~-]+)*\/?$/, 'must be a path like "/api"')
      .transform((prefix) => prefix.replace(/\/$/, ""))
      .nullish()
      .describe("Path prefix of all routes. `/ok` and `/info` also work without it. `ENSEMBLE_URL` must end with the prefix."),
    middleware_order: z
      .enum(["auth_first", "middleware_first"])
      .nullish()
      .describe("Order of the auth check and your app's middleware: `auth_first` or `middleware_first`. Default: `auth_first`."),
    enable_custom_route_auth: z
      .boolean()
      .nullish()
      .describe("`true`: your app's routes require auth too. `false`: they need no credentials. Default: `true`."),
    disable_assistants: z.boolean().optional().describe("`true`: turns off the endpoints of assistants."),
    disable_threads: z.boolean().optional().describe("`true`: turns off the endpoints of threads."),
    disable_runs: z.boolean().optional().describe("`true`: turns off the endpoints of runs, crons, event streaming and webhooks."),
    disable_store: z.boolean().optional().describe("`true`: turns off the endpoints of the store. Graphs can still use the store."),
    disable_meta: z
      .boolean()
      .optional()
      .describe("`true`: turns off the endpoints about the service, such as `/info` and `/docs`, except `/ok`."),
    disable_ui: z.boolean().optional().describe("`true`: turns off the UI bundles."),
    disable_webhooks: z.boolean().optional().describe("`true`: runs are created without their webhooks."),
    disable_openai: z.boolean().optional().describe("`true`: turns off the endpoints below `/v1` for clients of OpenAI's API."),
    openai_user_threads: z
      .boolean()
      .optional()
      .describe("`true`: the field `user` of a request to `/v1` names a thread. Without it, only a header names a thread."),
    disable_mcp: z.boolean().optional().describe("`true`: turns off `/mcp`, by which MCP clients call the assistants as tools."),
    disable_a2a: z.boolean().optional().describe("`true`: turns off the A2A endpoints, which are `/a2a` and the agent cards."),
  })
  .loose();

export type HttpOptions = z.infer<typeof HttpOptions>;
export type CorsOptions = z.infer<typeof CorsOptions>;

/** Returns the keys of `http` in langgraph.json that this service does not read. */
export function unreadHttpKeys(http: HttpOptions): string[] {
  const { cors, configurable_headers, logging_headers } = http;
  return [
    ...unreadKeys(http, Object.keys(HttpOptions.shape), "http."),
    ...unreadKeys(cors ?? {}, Object.keys(CorsOptions.shape), "http.cors."),
    ...unreadKeys(configurable_headers ?? {}, Object.keys(HeaderPatterns.shape), "http.configurable_headers."),
    ...unreadKeys(logging_headers ?? {}, Object.keys(HeaderPatterns.shape), "http.logging_headers."),
  ];
}
