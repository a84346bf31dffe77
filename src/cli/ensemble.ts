import { enableCompileCache } from "node:module";
import { version } from "../version.ts";
import { explain, readArguments } from "./arguments.ts";
import { commands } from "./commands.ts";
import { clean } from "./terminal/clean.ts";

enableCompileCache(); // what a command needs is loaded when it runs, and from the second time on compiled already

/** The `ensemble` command: `ensemble [command] [options]`. Whatever fails leaves one sentence and a non-zero exit. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const { name, given } = readArguments(argv, commands);
  if (given.flags.has("help")) {
    console.log(explain(commands, argv.includes(name) ? name : undefined));
    return;
  }
  if (given.flags.has("version")) {
    console.log(version);
    return;
  }
  if (given.texts.config) process.env.ENSEMBLE_CONFIG = given.texts.config;
  await commands[name]?.run(given);
}

/** Whoever reads us may have seen enough, as `head` does: that is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

main()
  .catch((error: unknown) => {
    console.error(`ensemble: ${clean(error instanceof Error ? error.message : String(error))}`);
    process.exitCode = 1;
  })
  // A graph's file may have opened what it never closes, a timer or a pool of its own: that must not keep an ended command alive.
  .finally(() => process.exit());
