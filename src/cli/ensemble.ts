import { enableCompileCache } from "node:module";
import { version } from "../version.ts";
import { helpText, readArguments } from "./arguments.ts";
import { commands } from "./commands.ts";
import { clean } from "./terminal/clean.ts";

enableCompileCache(); // caches compiled modules on disk, so that the command starts faster after its first run

/** Runs the command line: `ensemble [command] [options]`. If the command fails, prints one sentence and exits with a non-zero code. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const { name, args } = readArguments(argv, commands);
  if (args.flags.has("help")) {
    console.log(helpText(commands, argv.includes(name) ? name : undefined));
    return;
  }
  if (args.flags.has("version")) {
    console.log(version);
    return;
  }
  if (args.texts.config) process.env.ENSEMBLE_CONFIG = args.texts.config;
  await commands[name]?.run(args);
}

/** Exits without an error if the program that reads our output closes the pipe, as `head` does. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

main()
  .catch((error: unknown) => {
    console.error(`ensemble: ${clean(error instanceof Error ? error.message : String(error))}`);
    process.exitCode = 1;
  })
  // Exit explicitly, because a graph's code may have left a timer or a pool open that would keep the process alive.
  .finally(() => process.exit());
