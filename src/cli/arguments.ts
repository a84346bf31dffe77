import { parseArgs } from "node:util";
import { closest } from "./closest.ts";

export interface Option {
  type: "string" | "boolean";
  short?: string;
  /** The placeholder for the option's value in the help text, such as `file.json`. Undefined for a flag. */
  value?: string;
  means: string;
}

/** The parsed arguments of a command. `texts` holds the options with values, and `flags` the names of the flags that are set. */
export interface Arguments {
  words: string[];
  texts: Partial<Record<string, string>>;
  flags: Set<string>;
}

export interface Command {
  summary: string;
  /** The words that the command takes, as its help shows them. `<graph>` is required, and `[graph]` and `[graph…]` are optional. */
  takes?: string[];
  options?: Record<string, Option>;
  /** Example calls for the help of the command. */
  examples: string[];
  /** Additional lines for the command's help. */
  details?: string[];
  run(args: Arguments): Promise<void>;
}

export const commonOptions: Record<string, Option> = {
  help: { type: "boolean", short: "h", means: "show the help of a command" },
  version: { type: "boolean", short: "v", means: "print the version" },
  config: { type: "string", short: "c", value: "langgraph.json", means: "path of the project file, else ENSEMBLE_CONFIG" },
};

/**
 * Returns the command's name and its parsed arguments. If the command does not accept an argument, throws an error whose message tells the
 * user the reason.
 */
export function readArguments(argv: string[], commands: Record<string, Command>): { name: string; args: Arguments } {
  const { positionals, values } = parse(argv, commands);
  const [name = "start", ...words] = positionals;
  const command = commands[name];
  if (!command) throw unknownCommand(name, commands);
  const args = sortValues(words, values);
  if (!args.flags.has("help")) {
    refuseForeignOptions(name, Object.keys(values), commands);
    refuseWrongWords(name, words, command.takes ?? []);
  }
  return { name, args };
}

function parse(argv: string[], commands: Record<string, Command>) {
  const options = Object.assign({}, commonOptions, ...Object.values(commands).map((command) => command.options ?? {}));
  try {
    return parseArgs({ args: argv, allowPositionals: true, options });
  } catch (error) {
    const [, unknown = ""] = /^Unknown option '(--?[^']+)'/.exec((error as Error).message) ?? [];
    const meant = closest(unknown.replace(/^--/, ""), Object.keys(options));
    if (meant) throw new Error(`Unknown option '${unknown}'. Did you mean --${meant}? See --help.`);
    const [sentence = ""] = (error as Error).message.split(/\.\s|\n/); // the rest of Node's message is advice for programmers
    throw new Error(`${sentence.replace(/\.$/, "")}; see --help.`);
  }
}

/** Returns the error for an unknown command, with the most similar command as a suggestion. */
export function unknownCommand(name: string, commands: Record<string, Command>): Error {
  const meant = closest(name, Object.keys(commands));
  if (meant) return new Error(`There is no command "${name}". Did you mean "${meant}"?`);
  return new Error(`There is no command "${name}"; there are ${Object.keys(commands).join(", ")}.`);
}

function sortValues(words: string[], values: Record<string, unknown>): Arguments {
  const texts: Arguments["texts"] = {};
  const flags: Arguments["flags"] = new Set();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") texts[name] = value;
    else if (value === true) flags.add(name);
  }
  return { words, texts, flags };
}

function refuseForeignOptions(name: string, options: string[], commands: Record<string, Command>): void {
  for (const option of options) {
    if (option in commonOptions || option in (commands[name]?.options ?? {})) continue;
    const owners = Object.keys(commands).filter((other) => option in (commands[other]?.options ?? {}));
    throw new Error(`--${option} belongs to ${owners.join(", ")}: ${name} does not take it.`);
  }
}

function refuseWrongWords(name: string, words: string[], takes: string[]): void {
  const missing = takes[words.length];
  if (missing?.startsWith("<")) throw new Error(`"${name}" needs ${missing}; see ensemble ${name} --help.`);
  const endless = takes.at(-1)?.includes("…");
  if (words.length > takes.length && !endless) throw new Error(`"${name}" does not know what to do with "${words[takes.length]}".`);
}

/** Returns the help of the named command. Without a name, returns the overview of all commands. */
export function helpText(commands: Record<string, Command>, name?: string): string {
  const command = name === undefined ? undefined : commands[name];
  if (!command) {
    const lines = Object.entries(commands).map(([each, { takes = [], summary }]) => entry([each, ...takes].join(" "), summary));
    return [
      "Usage: ensemble [command] [options]",
      "",
      ...lines,
      "",
      ...listOptions(commonOptions),
      "",
      "`ensemble run --help` lists the arguments and options of run.",
    ].join("\n");
  }
  return [
    `Usage: ensemble ${[name, ...(command.takes ?? []), "[options]"].join(" ")}`,
    "",
    command.summary,
    "",
    ...listOptions({ ...command.options, ...commonOptions }),
    "",
    command.examples.length === 1 ? "Example:" : "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    ...(command.details ? ["", ...command.details] : []),
  ].join("\n");
}

function listOptions(options: Record<string, Option>): string[] {
  return Object.entries(options).map(([name, { short, value, means }]) =>
    entry(`${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`, means),
  );
}

const entry = (what: string, means: string) => `  ${what.padEnd(26)} ${means}`;
