import { type Arguments, type Command, helpText, type Option, unknownCommand } from "./arguments.ts";
import { terminalCommands } from "./terminal/terminal-commands.ts";

const addressOptions: Record<string, Option> = {
  port: { type: "string", value: "n", means: "port of the API, else PORT, else 2024 or the next free port" },
  host: { type: "string", value: "address", means: "address of the API, else HOST, else 127.0.0.1" },
};

/**
 * All commands by name. A command imports its modules only when it runs. A health check, which runs often, thus does not import LangGraph.
 */
export const commands: Record<string, Command> = {
  start: {
    summary: "run the service (the default)",
    examples: ["ensemble", "ensemble start --port 8080", "DATABASE_URL=postgresql://… ENSEMBLE_ROLE=worker ensemble start"],
    options: addressOptions,
    run: async (args) => (await import("./start.ts")).start(args),
  },
  dev: {
    summary: "run the service, and restart it when a file changes that a graph imports",
    examples: ["ensemble dev --open", "ensemble dev --watch prompts,data/cities.csv"],
    options: {
      ...addressOptions,
      open: { type: "boolean", means: "open the web console in the browser" },
      watch: { type: "string", value: "paths", means: "further files and folders to watch, separated by commas" },
    },
    run: async (args) => (await import("./dev/dev.ts")).dev(args),
  },
  new: {
    summary: "create a project with one agent and one test",
    examples: ["ensemble new my-agents"],
    takes: ["[folder]"],
    options: {
      package: {
        type: "string",
        value: "spec",
        means: "where npm finds Ensemble, else a tarball of this installation, put into the project",
      },
    },
    run: async (args) => (await import("./new/new.ts")).newProject(args),
  },
  dockerfile: {
    summary: "print the Dockerfile of the project, or write it to a file",
    examples: ["ensemble dockerfile", "ensemble dockerfile Dockerfile"],
    takes: ["[file]"],
    run: async (args) => (await import("./image/dockerfile-command.ts")).dockerfile(args),
  },
  build: {
    summary: "build an image of the project with Docker or Podman",
    examples: ["ensemble build -t my-agents:1.0", "ensemble build -t my-agents:1.0 -- --platform linux/arm64"],
    takes: ["[option of the builder…]"],
    options: { tag: { type: "string", short: "t", value: "name", means: "the name of the image, such as my-agents:1.0" } },
    run: async (args) => (await import("./image/build.ts")).build(args),
  },
  ...terminalCommands,
  migrate: {
    summary: "migrate the database to this release",
    examples: ["DATABASE_URL=postgresql://… ensemble migrate"],
    run: async () => (await import("./maintenance.ts")).migrateDatabase(),
  },
  config: {
    summary: "print all environment variables with this process's values",
    examples: ["ensemble config"],
    run: async () => (await import("./print-config.ts")).printConfig(),
  },
  doctor: {
    summary: "check the machine and the project, and say what is wrong",
    examples: ["ensemble doctor"],
    run: async () => (await import("./doctor/doctor.ts")).doctor(),
  },
  halt: {
    summary: "stop all work: no run is claimed, and running runs pause at their next step",
    examples: ["ensemble halt"],
    run: async () => (await import("./maintenance.ts")).halt(),
  },
  resume: {
    summary: "continue the work after a halt",
    examples: ["ensemble resume"],
    run: async () => (await import("./maintenance.ts")).resume(),
  },
  health: {
    summary: "exit with 0 if the API answers and reaches its database, or if this host has a live worker",
    examples: ["ensemble health"],
    run: async () => (await import("./health.ts")).checkHealth(),
  },
  webhooks: {
    summary: "list the webhooks that were given up, or redrive (send again) all or those of the named runs",
    examples: ["ensemble webhooks", "ensemble webhooks redrive"],
    takes: ["[redrive]", "[run…]"],
    run: async ({ words }: Arguments) => (await import("./webhook-command.ts")).webhooks(words),
  },
  limits: {
    summary: "list the limits of the queue, or set, pause or reset one",
    examples: ["ensemble limits", "ensemble limits set react total=25 rate=100/m", "ensemble limits pause react"],
    takes: ["[set|pause|reset]", "[name]", "[value…]"],
    run: async ({ words }: Arguments) => (await import("./limits-command.ts")).limits(words),
  },
  usage: {
    summary: "sum the tokens and dollars of model calls by day, key, graph or model",
    examples: ["ensemble usage", "ensemble usage key model --since 2026-11-01"],
    takes: ["[day|key|graph|model…]"],
    options: { since: { type: "string", value: "date", means: "the first day (UTC), else 29 days ago" } },
    run: async (given: Arguments) => (await import("./usage-command.ts")).usage(given),
  },
  stats: {
    summary: "show how many runs were created and ended, and the health of each agent",
    examples: ["ensemble stats", "ensemble stats supervisor --since 2026-11-01 --json"],
    takes: ["[graph]"],
    options: {
      since: { type: "string", value: "date", means: "the first hour that counts, else 24 hours ago" },
      json: { type: "boolean", means: "print JSON" },
    },
    run: async (args) => (await import("./stats-command.ts")).stats(args),
  },
  resources: {
    summary: "list the resources that runs share, set the limit of one, or reset it to that of langgraph.json",
    examples: ["ensemble resources", "ensemble resources set database 20"],
    takes: ["[set|reset]", "[name]", "[limit]"],
    run: async ({ words }: Arguments) => (await import("./resource-command.ts")).resources(words),
  },
  dead: {
    summary: "list what failed for good, or show, redrive or discard it",
    examples: ["ensemble dead list --kind run --graph react", "ensemble dead redrive --all --since 2026-11-01"],
    takes: ["[list|show|redrive|discard]", "[letter…]"],
    options: {
      kind: { type: "string", value: "kind", means: "only run, webhook, cron, task, partition, message or compensation" },
      graph: { type: "string", value: "graph", means: "only letters of this graph" },
      since: { type: "string", value: "date", means: "only what failed at or after this time" },
      state: { type: "string", value: "state", means: "list: dead (the default), redriving, redriven or discarded" },
      all: { type: "boolean", means: "redrive and discard: all dead letters" },
      edit: { type: "string", value: "json", means: "redrive: an input that replaces that of the letters" },
      parallel: { type: "string", value: "n", means: "redrive: how many of the runs may be open at once, else 10" },
      json: { type: "boolean", means: "print JSON" },
    },
    run: async (args) => (await import("./dead-command.ts")).dead(args),
  },
  plans: {
    summary: "list registered plans, or create, update, show, aggregate or clean them up",
    examples: ["ensemble plans create --type release --subtasks plan.json", "ensemble plans list --active"],
    takes: ["[list|create|update|status|aggregate|cleanup]", "[plan]", "[subtask]"],
    options: {
      active: { type: "boolean", means: "list: only plans with a subtask that is pending or running" },
      type: { type: "string", value: "word", means: "create: the type of the plan; list: only plans of this type" },
      title: { type: "string", value: "text", means: "create: the title" },
      subtasks: { type: "string", value: "json", means: "create: the subtasks as JSON, the name of a file, or - for stdin" },
      metadata: { type: "string", value: "json", means: "create: metadata" },
      status: { type: "string", value: "status", means: "update: pending, running, done, failed or skipped" },
      result: { type: "string", value: "json", means: "update: the result, as JSON or text" },
      error: { type: "string", value: "text", means: "update: why the subtask failed" },
      agent: { type: "string", value: "name", means: "update: who does the subtask" },
      force: { type: "boolean", means: "update: even if dependencies are not done or the status does not allow it" },
      days: { type: "string", value: "n", means: "cleanup: plans unchanged for so many days, else ENSEMBLE_PLAN_DAYS" },
      json: { type: "boolean", means: "print JSON" },
    },
    run: async (args) => (await import("./plans-command.ts")).plans(args),
  },
  key: {
    summary: "create an API key, and its entry for ENSEMBLE_API_KEYS",
    examples: ["ensemble key alice"],
    takes: ["name"],
    run: async ({ words }: Arguments) => (await import("./key.ts")).makeKey(words),
  },
  export: {
    summary: "store lists whole, so that LangGraph's own PostgresSaver can read all checkpoints",
    examples: ["ensemble export", "ensemble export --decrypt"],
    options: { decrypt: { type: "boolean", means: "store encrypted checkpoints unencrypted, because PostgresSaver has no key" } },
    run: async ({ flags }: Arguments) => (await import("./maintenance.ts")).exportCheckpoints({ decrypts: flags.has("decrypt") }),
  },
  prune: {
    summary: "remove all data that the retention rules allow to remove",
    examples: ["ensemble prune --dry-run"],
    options: { "dry-run": { type: "boolean", means: "only print what would be removed" } },
    run: async ({ flags }: Arguments) => (await import("./prune-command.ts")).prune({ dryRun: flags.has("dry-run") }),
  },
  help: {
    summary: "show the help of a command",
    examples: ["ensemble help run"],
    takes: ["[command]"],
    run: async ({ words: [name] }: Arguments) => {
      if (name !== undefined && !(name in commands)) throw unknownCommand(name, commands);
      console.log(helpText(commands, name));
    },
  },
};
