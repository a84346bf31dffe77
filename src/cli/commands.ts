import { type Command, explain, type Given, noCommand } from "./arguments.ts";
import { terminalCommands } from "./terminal/commands.ts";

/** Each command loads what it needs when it runs: a health check every few seconds has no use for LangGraph. */
export const commands: Record<string, Command> = {
  start: {
    summary: "run the service (the default)",
    options: {
      port: { type: "string", value: "n", means: "where the API listens, else PORT, else 2024 or the next free port" },
      host: { type: "string", value: "address", means: "the address it listens on, else HOST, else 127.0.0.1" },
    },
    run: async (given) => (await import("./start.ts")).start(given),
  },
  ...terminalCommands,
  migrate: {
    summary: "bring the database's schema to this release, and exit",
    run: async () => (await import("./migrate.ts")).migrateDatabase(),
  },
  config: {
    summary: "print the environment table with this process's values",
    run: async () => (await import("./config.ts")).printConfig(),
  },
  halt: {
    summary: "stop all work: nothing is claimed, running runs pause at their next step",
    run: async () => (await import("./halt.ts")).halt(),
  },
  resume: { summary: "let the work go on", run: async () => (await import("./halt.ts")).resume() },
  health: {
    summary: "exit 0 when the database answers and, on a worker's host, the worker lives",
    run: async () => (await import("./health.ts")).checkHealth(),
  },
  webhooks: {
    summary: "list the webhooks that were given up; redrive sends them again, all or those of the named runs",
    takes: ["[redrive]", "[run…]"],
    run: async ({ words }: Given) => (await import("./webhooks.ts")).webhooks(words),
  },
  key: {
    summary: "make an API key: what its owner sends, and what ENSEMBLE_API_KEYS is told",
    takes: ["name"],
    run: async ({ words }: Given) => (await import("./key.ts")).makeKey(words),
  },
  export: {
    summary: "store lists whole again, so that LangGraph's own PostgresSaver can read all checkpoints",
    run: async () => (await import("./export.ts")).exportCheckpoints(),
  },
  prune: {
    summary: "take away what the retention rules let go",
    options: { "dry-run": { type: "boolean", means: "only say what that is" } },
    run: async ({ flags }: Given) => (await import("./prune.ts")).prune({ dryRun: flags.has("dry-run") }),
  },
  help: {
    summary: "say what a command does and takes",
    takes: ["[command]"],
    run: async ({ words: [name] }: Given) => {
      if (name !== undefined && !(name in commands)) throw noCommand(name, commands);
      console.log(explain(commands, name));
    },
  },
};
