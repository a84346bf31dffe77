import { z } from "zod";
import { ResourceLimit, ResourceName } from "../resources/limit.ts";
import { Price } from "../usage/prices.ts";
import { HttpOptions, unreadHttpKeys } from "./http-options.ts";
import { QueueOptions } from "./queue-options.ts";
import { StoreOptions } from "./store-options.ts";
import { buildKeyNames, toolKeys, unreadKeys } from "./unread-keys.ts";

const GraphObject = z
  .object({
    path: z.string().describe("File and export of the graph: `./agent.ts:graph`. Without an export, the file's default export is used."),
    name: z.string().trim().min(1).optional().describe("Name of the graph's default assistant. Default: the graph's id."),
    description: z.string().nullish().describe("Description of the graph's default assistant."),
    version: z.string().optional().describe("Version of the graph. Each run records it, together with a hash of the graph's structure."),
  })
  .loose();
export const GraphEntry = z.union([z.string(), GraphObject]);

export const CheckpointerOptions = z
  .object({
    ttl: z
      .object({
        strategy: z
          .enum(["delete", "keep_latest"])
          .optional()
          .describe(
            "What happens to an expired thread: `delete` it, or `keep_latest` to keep only its latest checkpoints. Default: `delete`.",
          ),
        default_ttl: z
          .number()
          .positive()
          .max(52_560_000)
          .nullish()
          .describe("Minutes after which an unused thread expires. `ENSEMBLE_THREAD_TTL_MINUTES` overrides it."),
        sweep_interval_minutes: z.number().positive().max(40_000).nullish().describe("Minutes between two deletions of expired threads."),
      })
      .loose()
      .nullish()
      .describe("Expiry of unused threads."),
  })
  .loose();

const UrlOptions = z
  .object({
    require_https: z
      .boolean()
      .optional()
      .describe(
        "`true`: webhooks may use only https. `false`: they may use https and http. Without this key, they may use http only for the hosts in `ENSEMBLE_WEBHOOK_INSIDE_HOSTS`.",
      ),
    allowed_domains: z.array(z.string().min(1)).optional().describe("Domains that webhooks may call, such as `*.example.com`."),
    allowed_ports: z.array(z.number().int().min(1).max(65_535)).optional().describe("Ports that webhooks may call, such as 443."),
    max_url_length: z
      .number()
      .int()
      .positive()
      .optional()
      .describe("Maximum length of the URL of a webhook, in characters. Default: 4096."),
    disable_loopback: z.boolean().optional().describe("`true`: webhooks that are paths of this service are refused."),
  })
  .loose();

export const WebhookOptions = z
  .object({
    env_prefix: z.string().min(1).optional().describe("Prefix of the variables that `headers` may contain. Default: `LG_WEBHOOK_`."),
    url: UrlOptions.optional().describe("Rules for the URLs of webhooks."),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe("Headers of every webhook. A value may contain environment variables whose names begin with `env_prefix`."),
  })
  .loose();

/** The operator's limits for the patterns, which are the ready-made graphs of this package. */
export const PatternOptions = z
  .object({
    allowed_hosts: z
      .array(z.string().regex(/^[^\s,/]+$/, "must be a host, with its port, without http:// and paths"))
      .optional()
      .describe("Hosts (name:port) of your own network that the patterns' tools may call. `ENSEMBLE_PATTERN_HOSTS` overrides it."),
    allowed_directories: z
      .array(z.string().regex(/^[^,]+$/, "must be a path without a comma"))
      .optional()
      .describe(
        "Directories that the patterns may read. Relative paths start at the project file's folder. `ENSEMBLE_PATTERN_DIRECTORIES` overrides it.",
      ),
  })
  .loose();

const tools = z.array(z.string().min(1)).optional().describe("Tools of the server that may be used. Default: all of them.");
const values = z.record(z.string(), z.string()).optional();
// biome-ignore lint/suspicious/noTemplateCurlyInString: the text itself has these characters
const variables = "`${NAME}` in a value is a variable of the service.";
/** An MCP server of the project: a program to start, or a URL to call. */
const McpServer = z
  .strictObject({
    command: z.string().min(1).optional().describe("Program to start. It speaks MCP on its standard input and output."),
    args: z.array(z.string()).optional().describe("Arguments of the program."),
    env: values.describe(`Environment of the program. ${variables}`),
    cwd: z.string().optional().describe("Folder in which the program starts. Default: the project file's folder."),
    url: z.url().optional().describe("Address of the server, instead of a program."),
    headers: values.describe(`Headers of every request. ${variables}`),
    tools,
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), "must have either command or url");

/** A remote agent that is called with the Agent2Agent protocol. */
const RemoteAgent = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .describe(
      "Address of the agent. Its card is read from `.well-known/agent-card.json` below this address, or from this address if it ends in `.json`.",
    ),
  token: z
    .string()
    .regex(/^\w+$/, "must be the name of a variable")
    .optional()
    .describe("Name of the variable with the token that is sent as `Authorization: Bearer`."),
  headers: values.describe(`Headers of every request. ${variables}`),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of the agent's JSON-RPC endpoint, if it differs from the one in the card. Needed if the card names another host."),
});

/** The options for alerts. An alert opens when a run crosses a threshold of its graph. */
const AlertOptions = z
  .object({
    webhook: z
      .string()
      .min(1)
      .optional()
      .describe("URL that gets a POST when an alert opens and when it closes. The rules for the URLs of webhooks apply to it."),
  })
  .loose();

/** The options that only this service has, under the key `ensemble`. */
export const OwnOptions = z
  .object({
    patterns: PatternOptions.optional().describe("Limits of the shipped patterns."),
    queues: QueueOptions.optional().describe("Order and limits of the queue."),
    alerts: AlertOptions.optional().describe("Alerts about the metrics of runs."),
    tools: z
      .string()
      .min(1)
      .optional()
      .describe("File and export of your tools: `./tools.ts:tools`. The export is a list. Contexts use the tools by name."),
    skills: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File and export of your skills: `./skills.ts:skills`. The export is a list. The scenario pattern runs the skills by name.",
      ),
    guards: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File and export of your guards: `./guards.ts:guards`. The export is an object of functions. Guardrails use the functions by name.",
      ),
    agents: z
      .string()
      .min(1)
      .optional()
      .describe("YAML or JSON file with a list of agents. Contexts use the agents as tools with the names `agent:<name>`."),
    assistants: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Folder of YAML files. Each file defines an assistant, with `graph`, `name`, `description`, `context` and an `example` input.",
      ),
    mcp: z
      .record(z.string().regex(/^[\w-]+$/, "must be letters, digits, - and _"), McpServer)
      .optional()
      .describe("MCP servers by name. Contexts use their tools as `<server>/<tool>`. Needs the package `@langchain/mcp-adapters`."),
    resources: z
      .record(z.string(), ResourceLimit)
      .superRefine((limits, context) => {
        for (const name of Object.keys(limits))
          for (const { message } of ResourceName.safeParse(name).error?.issues ?? [])
            context.addIssue({ code: "custom", path: [name], message });
      })
      .optional()
      .describe(
        "Resources that runs share, by name. Each has `pool`, the number of its units, or `rate`, its tokens in a unit of time, such as `1000/m`.",
      ),
    prices: z
      .record(z.string().min(1), Price)
      .optional()
      .describe(
        'Prices of models in dollars per million tokens, for `GET /usage` and budgets: `{ "my-model": { "input": 0.5, "output": 2 } }`. A third key is `cachedInput`.',
      ),
    a2a: z
      .record(z.string().regex(/^[\w-]+$/, "must be letters, digits, - and _"), RemoteAgent)
      .optional()
      .describe(
        "Remote agents by name, which support the Agent2Agent protocol. Contexts use the agents as tools with the names `a2a:<name>`. Keys: `url`, `token`, `headers`, `endpoint`.",
      ),
  })
  .loose();

export const AuthOptions = z
  .object({
    path: z.string().min(1).describe("File and export of your `Auth`: `./auth.ts:auth`."),
    disable_studio_auth: z
      .boolean()
      .optional()
      .describe("`true`: Studio must pass your auth, even on a service that listens on loopback. Default: `false`."),
  })
  .loose();
const EncryptionOptions = z
  .object({ path: z.string().min(1).describe("File and export of your encryption handlers: `./encryption.ts:encryption`.") })
  .loose();
const UiConfig = z.object({ shared: z.array(z.string()).nullish().describe("Packages that the components share with the page.") }).loose();

/** The schema of the project file. docs/reference/langgraph-json.md is generated from this schema's descriptions. */
export const ProjectFile = z
  .object({
    graphs: z
      .record(z.string().min(1), GraphEntry, "lists no graph")
      .refine((graphs) => Object.keys(graphs).length > 0, "lists no graph")
      .describe("Graphs by id. Each is a path, or an object with the keys below."),
    env: z
      .union([z.string(), z.array(z.string()), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))])
      .optional()
      .describe(
        "Environment of the project: the path of an env file, a list of `NAME=value`, or an object. Variables of the process take precedence.",
      ),
    http: HttpOptions.nullish().describe("Options of the HTTP API."),
    ui: z.record(z.string().min(1), z.string().min(1)).nullish().describe("Files with UI components, by graph id."),
    ui_config: UiConfig.nullish().describe("Options of the UI bundles."),
    checkpointer: CheckpointerOptions.nullish().describe("Options of stored threads."),
    store: StoreOptions.nullish().describe("Options of the store."),
    webhooks: WebhookOptions.nullish().describe("Options of webhooks."),
    auth: AuthOptions.nullish().describe("Your own auth."),
    encryption: EncryptionOptions.nullish().describe("Your own encryption of stored values."),
    ensemble: OwnOptions.nullish().describe("Options that only Ensemble has."),
  })
  .loose();
export type ProjectFile = z.infer<typeof ProjectFile>;

/** Returns the keys of a project file that have no effect in this service. Leaves out the keys for building images. */
export function unreadProjectKeys({ graphs, http, checkpointer, store, webhooks, ...others }: ProjectFile): string[] {
  return [
    ...unreadKeys(others, [...buildKeyNames, ...toolKeys, ...Object.keys(ProjectFile.shape)]),
    ...Object.entries(graphs).flatMap(([graphId, entry]) =>
      typeof entry === "string" ? [] : unreadKeys(entry, Object.keys(GraphObject.shape), `graphs.${graphId}.`),
    ),
    ...unreadHttpKeys(http ?? {}),
    ...unreadKeys(others.ui_config ?? {}, Object.keys(UiConfig.shape), "ui_config."),
    ...unreadKeys(checkpointer ?? {}, Object.keys(CheckpointerOptions.shape), "checkpointer."),
    ...unreadKeys(checkpointer?.ttl ?? {}, ["strategy", "default_ttl", "sweep_interval_minutes"], "checkpointer.ttl."),
    ...unreadKeys(others.encryption ?? {}, Object.keys(EncryptionOptions.shape), "encryption."),
    ...unreadKeys(others.auth ?? {}, Object.keys(AuthOptions.shape), "auth."),
    ...unreadOwnKeys(others.ensemble ?? {}),
    ...unreadKeys(store ?? {}, Object.keys(StoreOptions.shape), "store."),
    ...unreadKeys(store?.ttl ?? {}, ["default_ttl", "refresh_on_read", "sweep_interval_minutes"], "store.ttl."),
    ...unreadKeys(store?.index ?? {}, ["dims", "embed", "fields"], "store.index."),
    ...unreadKeys(webhooks ?? {}, Object.keys(WebhookOptions.shape), "webhooks."),
    ...unreadKeys(webhooks?.url ?? {}, Object.keys(UrlOptions.shape), "webhooks.url."),
  ];
}

const unreadOwnKeys = (own: z.infer<typeof OwnOptions>): string[] => [
  ...unreadKeys(own, Object.keys(OwnOptions.shape), "ensemble."),
  ...unreadKeys(own.alerts ?? {}, Object.keys(AlertOptions.shape), "ensemble.alerts."),
  ...unreadKeys(own.queues ?? {}, Object.keys(QueueOptions.shape), "ensemble.queues."),
  ...Object.entries(own.resources ?? {}).flatMap(([name, limit]) => unreadKeys(limit, ["pool", "rate"], `ensemble.resources.${name}.`)),
  ...unreadKeys(own.patterns ?? {}, Object.keys(PatternOptions.shape), "ensemble.patterns."),
];
