import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterFile } from "../after-file.ts";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProcess, type TestProcess } from "../service.ts";
import { type Block, fileOf, root } from "./pages.ts";

const launcher = join(root, "src/cli/launch.cjs");
const blockTimeoutMs = 60_000;

/** A directory with the files of a page, a service that is started if a block needs one, and a shell that keeps its variables. */
export interface PageProject {
  runBlock: (block: Block) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Replacements for npm and npx. `npm ci` does nothing, `npm install` only checks that the packages exist, and `ensemble` is the
 * repository's own. Every other command fails, so its block must be `norun`.
 */
const npm = `#!/usr/bin/env bash
case "$1 $2" in
  "ci "*) exit 0 ;;
  "run ensemble") shift 2; [ "$1" = -- ] && shift; exec ensemble "$@" ;;
  "run demo") shift 2; [ "$1" = -- ] && shift; exec ensemble demo "$@" ;;
  "install "*)
    shift
    for package in "$@"; do
      case "$package" in
        -*) ;;
        *) [ -d "node_modules/$(sed -E 's/(.)@.*/\\1/' <<< "$package")" ] || { echo "$package is not installed here"; exit 1; } ;;
      esac
    done ;;
  *) echo "npm $* cannot run in a test"; exit 1 ;;
esac
`;
const npx = `#!/usr/bin/env bash
[ "$1" = ensemble ] || { echo "npx $* cannot run in a test"; exit 1; }
shift
exec ensemble "$@"
`;
const ensemble = `#!/usr/bin/env bash
exec "${process.execPath}" "${launcher}" "$@"
`;

/** A database, and a service that uses it once it has been started. */
interface Host {
  databaseUrl: string;
  service: TestProcess | undefined;
}

let shared: Promise<Host> | undefined;

/** Returns the service that several pages of a test file use one after another. A start takes longer than the examples of most pages. */
function sharedHost(): Promise<Host> {
  shared ??= createDatabase().then(async (databaseUrl) => {
    const env = { ...inherited, DATABASE_URL: databaseUrl, WORKER_DRAIN_TIMEOUT: "0.2", PORT: "0" };
    const service = await startProcess(env, root);
    afterFile(() => service.stop());
    return { databaseUrl, service };
  });
  return shared;
}

/** The variables that each process needs. */
const inherited = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8", NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? "" };

/**
 * Creates the directory of a page. A page without its own langgraph.json has the graphs of the repository. If it does not start a service
 * either, it shares one with other pages.
 */
export async function openProject(files: Block[], steps: Block[]): Promise<PageProject> {
  const home = await makeProject({
    "project/package.json": { name: "project", private: true, type: "module" },
    // As in a project that has the package installed, the name "ensemble" leads to the package's sources.
    "node_modules/ensemble/package.json": { name: "ensemble", type: "module", exports: { ".": "./src/index.ts" } },
    "bin/npm": npm,
    "bin/npx": npx,
    "bin/ensemble": ensemble,
  });
  const directory = join(home, "project");
  for (const name of ["npm", "npx", "ensemble"]) chmodSync(join(home, "bin", name), 0o755);
  symlinkSync(join(root, "src"), join(home, "node_modules/ensemble/src"));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  const ownGraphs = files.some((block) => fileOf(block) === "langgraph.json");
  if (!ownGraphs) {
    symlinkSync(join(root, "graphs"), join(directory, "graphs"));
    copyFileSync(join(root, "langgraph.json"), join(directory, "langgraph.json"));
  }
  for (const block of files) {
    const path = join(directory, fileOf(block));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, block.code);
  }

  const host: Host =
    !ownGraphs && steps.every((block) => startOf(block) === undefined)
      ? await sharedHost()
      : { databaseUrl: await createDatabase(), service: undefined };
  const environment = {
    ...inherited,
    PATH: `${join(home, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    DATABASE_URL: host.databaseUrl,
    ...(host.service?.url && { ENSEMBLE_URL: host.service.url }), // commands find only a service of their own directory
  };
  let { service } = host;
  /** The addresses in the page's text, and the addresses that replace them here. */
  const addresses = new Map<string, string>();
  const call = ({ url = "" }: TestProcess, told = "2024") => {
    const { host } = new URL(url);
    for (const port of new Set(["2024", told])) addresses.set(`127.0.0.1:${port}`, host).set(`localhost:${port}`, host);
  };
  if (service) call(service);

  const start = async (given: Record<string, string>) => {
    await stop();
    for (const [name, port] of Object.entries(given)) {
      if (name === "PORT" || !name.endsWith("PORT")) continue;
      given[name] = String(await freePort());
      addresses.set(`127.0.0.1:${port}`, `127.0.0.1:${given[name]}`);
    }
    service = await startProcess({ ...environment, WORKER_DRAIN_TIMEOUT: "0.2", ...given, PORT: "0" }, directory);
    call(service, given.PORT);
  };
  const stop = async () => {
    const running = service;
    service = undefined;
    if (running !== host.service) await running?.stop();
  };
  afterFile(stop);

  const execute = async (block: Block, command: string, args: string[]) => {
    const child = spawn(command, args, { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => {
      output += `\n(stopped after ${blockTimeoutMs / 1_000} s)`;
      process.kill(-child.pid!, "SIGKILL");
    }, blockTimeoutMs);
    const [code] = await once(child, "close");
    clearTimeout(timer);
    if (code === 0) return output;
    const log = service ? `\n--- the service\n${service.output().slice(-4_000)}` : "";
    throw new Error(`${block.page}:${block.line}: the block exited with ${code}.\n--- output\n${output}${log}`);
  };
  const shell = (block: Block, code: string) => {
    const variables = join(home, "variables");
    const script = `touch "${variables}"; . "${variables}"; set -ea\n${code}\nset +ea; export -p > "${variables}"`;
    return execute(block, "bash", ["-c", script]);
  };
  const replaced = (code: string) => [...addresses].reduce((text, [told, actual]) => text.replaceAll(told, actual), code);

  return {
    stop,
    async runBlock(block) {
      const startsService = startOf(block);
      if (startsService !== undefined) {
        const printed = await shell(block, `${startsService}\n`);
        await start(changes(environment, printed)).catch((error) => {
          throw new Error(`${block.page}:${block.line}: ${error}`);
        });
        return;
      }
      if (service === undefined && needsService(block)) await start({});
      if (block.language === "sh") return void (await shell(block, replaced(block.code)));
      const script = join(directory, `block-${block.line}.ts`);
      writeFileSync(script, replaced(block.code));
      await execute(block, process.execPath, [script]);
    },
  };
}

const startCommand = /^((?:[A-Z_]+=(?:"[^"]*"|'[^']*'|\S*)\s+)*)(?:npx ensemble(?: start)?|npm start)\s*(?:#.*)?$/;
const beside = /^\s*(#.*|export .*|[A-Z_]+=.*|npm ci|npm install .*)?$/;

/**
 * Returns the block with the command `env` in place of the command that starts the service. Returns undefined if the block does more than
 * that.
 */
function startOf({ language, code }: Block): string | undefined {
  const lines = code.trimEnd().split("\n");
  if (language !== "sh" || lines.filter((line) => startCommand.test(line)).length !== 1) return undefined;
  if (!lines.every((line) => startCommand.test(line) || beside.test(line))) return undefined;
  return lines.map((line) => line.replace(startCommand, "$1env -0")).join("\n");
}

/** Returns the variables that the page sets, from the output of `env -0`. */
function changes(environment: Record<string, string>, printed: string): Record<string, string> {
  const variables = printed
    .split("\0")
    .filter(Boolean)
    .map((entry): [string, string] => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]);
  return Object.fromEntries(
    variables.filter(([name, value]) => !["_", "PWD", "OLDPWD", "SHLVL"].includes(name) && environment[name] !== value),
  );
}

const callsService =
  /(127\.0\.0\.1|localhost):2024|ensemble (-- )?(run|watch|crew|graphs|runs|show|cancel|demo|webhooks|dead|plans|health)\b|new Client\(/;
const needsService = ({ code }: Block) => callsService.test(code);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Type-checks fragments as modules of one program. Returns the compiler's errors, with the page and line of each. */
export async function checkTypes(blocks: Block[]): Promise<string> {
  if (blocks.length === 0) return "";
  const directory = await makeProject({
    "package.json": { type: "module" },
    "tsconfig.json": { extends: join(root, "tsconfig.json"), include: ["*.ts"], exclude: [] },
    ...Object.fromEntries(blocks.map((block) => [nameOf(block), `${block.code}\nexport {};\n`])),
  });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  const child = spawn(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], { cwd: directory });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  for (const block of blocks) output = output.replaceAll(nameOf(block), `${block.page}:${block.line}`);
  return code === 0 ? "" : output;
}

const nameOf = ({ page, line }: Block) => `${page.replaceAll(/\W/g, "-")}-${line}.ts`;
