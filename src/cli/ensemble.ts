#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { parseArgs } from "node:util";
import { commands } from "./commands.ts";

enableCompileCache(); // what a command needs is loaded when it runs, and from the second time on compiled already

/** The `ensemble` command: `ensemble [command] [options]`. Whatever fails leaves one sentence and a non-zero exit. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" }, config: { type: "string", short: "c" }, "dry-run": { type: "boolean" } },
  });
  const name = positionals[0] ?? "start";
  const command = commands[name];
  if (values.help || !command) {
    console.log(usage());
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  if (values.config) process.env.ENSEMBLE_CONFIG = values.config;
  const dryRun = values["dry-run"] ?? false;
  if (dryRun && name !== "prune") throw new Error(`--dry-run belongs to prune: "${name}" would do what it does.`);
  await command.run({ dryRun });
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ensemble ${name.padEnd(9)} ${summary}`);
  return ["Usage: ensemble [command] [--config langgraph.json]", "", ...lines].join("\n");
}

main()
  .catch((error: unknown) => {
    console.error(`ensemble: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  })
  // A graph's file may have opened what it never closes, a timer or a pool of its own: that must not keep an ended command alive.
  .finally(() => process.exit());
