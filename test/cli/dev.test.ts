import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "@langchain/langgraph-sdk";
import { afterEach, describe, expect, test } from "vitest";
import { isRunning, makeProject, postmasterPid, spawnCommand, until } from "../command.ts";
import { createDatabase } from "../database.ts";

/** A graph of two nodes. Each node says the word that words.ts exports. The second one waits until a file exists. */
const twoNodes = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { word } from "./words.ts";
const State = Annotation.Root({ said: Annotation<string[]>({ reducer: (one, other) => one.concat(other), default: () => [] }) });
async function two() {
  while (!existsSync(new URL("go", import.meta.url))) await sleep(20);
  return { said: [word + (process.env.MARK ?? "")] };
}
export const graph = new StateGraph(State)
  .addNode("one", () => ({ said: [word] }))
  .addNode("two", two)
  .addEdge(START, "one")
  .addEdge("one", "two")
  .addEdge("two", END)
  .compile();
`;
const files = {
  "langgraph.json": { graphs: { two: "./two.ts:graph" }, env: ".env" },
  ".env": "",
  "two.ts": twoNodes,
  "words.ts": 'export const word: string = "old";',
};

interface Dev {
  child: ChildProcessWithoutNullStreams;
  project: string;
  /** Everything that the command has printed. */
  printed(): string;
  /** Waits until the command prints a text after all that it has printed before. */
  until(text: string): Promise<void>;
  url(): string;
}

const started: Dev[] = [];

afterEach(async () => {
  for (const { child, project } of started.splice(0)) {
    const service = await servicePid(project);
    child.kill("SIGKILL");
    if (service && isRunning(service)) process.kill(service, "SIGKILL");
    const postgres = await postmasterPid(join(project, ".ensemble"));
    if (postgres && isRunning(postgres)) process.kill(postgres, "SIGQUIT");
  }
});

async function startDev(args: string[] = [], env: Record<string, string> = {}, more = {}): Promise<Dev> {
  const project = await makeProject({ ...files, ".ensemble/keep": "", ...more });
  const child = spawnCommand(["dev", ...args], { LOG_LEVEL: "error", ...env }, project);
  let output = "";
  let seen = 0;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const dev: Dev = {
    child,
    project,
    printed: () => output,
    async until(text) {
      await until(() => output.includes(text, seen)).catch(() => expect(output.slice(seen)).toContain(text));
      seen = output.indexOf(text, seen) + text.length;
    },
    url: () => /listens on (http:\S+)/.exec(output)?.[1] ?? "",
  };
  started.push(dev);
  await dev.until("Watching the files");
  return dev;
}

/** Returns the pid of the service's process, which publishes its address in a file with its pid as name. */
async function servicePid(project: string): Promise<number | undefined> {
  const { readdir } = await import("node:fs/promises");
  const names = await readdir(join(project, ".ensemble", "services")).catch(() => []);
  const [name] = names.filter((each) => each.endsWith(".json"));
  return name === undefined ? undefined : Number.parseInt(name, 10);
}

async function startRun({ url }: Dev) {
  const client = new Client({ apiUrl: url() });
  const { thread_id } = await client.threads.create();
  const { run_id } = await client.runs.create(thread_id, "two", { input: {} });
  const said = async () => (await client.threads.getState<{ said?: string[] }>(thread_id)).values.said;
  await until(async () => (await said().catch(() => undefined))?.length === 1);
  return { said, join: () => client.runs.join(thread_id, run_id) };
}

describe("ensemble dev", () => {
  test("continues open runs on the new code, survives a mistake, and leaves nothing behind", async () => {
    const dev = await startDev([], { DATABASE_URL: "" });
    const run = await startRun(dev);
    const postgres = await postmasterPid(join(dev.project, ".ensemble"));

    await writeFile(join(dev.project, "words.ts"), 'export const word: string = "');
    await dev.until("↻ words.ts changed. Restarting.");
    await dev.until("It starts again when you change a file");
    expect(dev.printed()).toContain("words.ts");

    await writeFile(join(dev.project, "words.ts"), 'export const word: string = "new";');
    await dev.until("✓ Ready again after");
    await writeFile(join(dev.project, "go"), "");
    await run.join();
    expect(await run.said()).toEqual(["old", "new"]);
    expect(await postmasterPid(join(dev.project, ".ensemble"))).toBe(postgres);

    const client = new Client({ apiUrl: dev.url() });
    expect(await client.threads.search()).toHaveLength(1);
    await writeFile(join(dev.project, ".env"), `DATABASE_URL=${await createDatabase()}`);
    await dev.until("✓ Ready again after");
    expect(await client.threads.search()).toEqual([]);

    dev.child.kill("SIGTERM");
    const [code] = await once(dev.child, "exit");
    expect(code).toBe(0);
    expect(await servicePid(dev.project)).toBeUndefined();
    await until(() => postgres !== undefined && !isRunning(postgres));
  });

  test("restarts when a variable or the project file changes, and stops when it is killed", async () => {
    const dev = await startDev([], { DATABASE_URL: await createDatabase() });
    const run = await startRun(dev);

    await writeFile(join(dev.project, ".env"), "MARK=!");
    await dev.until("↻ .env changed");
    await dev.until("✓ Ready again after");
    await writeFile(join(dev.project, "go"), "");
    await run.join();
    expect(await run.said()).toEqual(["old", "old!"]);

    await writeFile(join(dev.project, "langgraph.json"), "{");
    await dev.until("langgraph.json is not JSON");
    await writeFile(join(dev.project, "langgraph.json"), JSON.stringify({ graphs: { other: "./two.ts:graph" }, env: ".env" }));
    await dev.until("✓ Ready again after");
    expect(await new Client({ apiUrl: dev.url() }).assistants.search({ graphId: "other" })).toHaveLength(1);

    const service = await servicePid(dev.project);
    dev.child.kill("SIGKILL");
    expect(service).toBeDefined();
    await until(() => service !== undefined && !isRunning(service));
  });

  test("a Ctrl-C while Postgres starts is not lost", async () => {
    const project = await makeProject({ ...files, ".ensemble/keep": "" });
    const child = spawnCommand(["dev"], { LOG_LEVEL: "error", DATABASE_URL: "" }, project);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    await until(() => existsSync(join(project, ".ensemble", "owner"))); // the first thing that a start of Postgres does
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(output).not.toContain("listens on");
    await until(async () => (await postmasterPid(join(project, ".ensemble"))) === undefined);
  });

  test("watches further paths and opens the console", async () => {
    const browser = await makeProject({ "browser.sh": '#!/bin/sh\necho "$1" > "$(dirname "$0")/opened"\n' });
    await chmod(join(browser, "browser.sh"), 0o755);
    const env = {
      DATABASE_URL: await createDatabase(),
      BROWSER: join(browser, "browser.sh"),
      DISPLAY: ":0",
      XDG_DATA_DIRS: browser, // there is no other browser
      XDG_DATA_HOME: browser,
    };
    const mounted = { "langgraph.json": { ...files["langgraph.json"], http: { mount_prefix: "/api" } } };
    const dev = await startDev(["--open", "--watch", "prompts,notes.txt"], env, mounted);
    const opened = () => readFile(join(browser, "opened"), "utf8").catch(() => "");
    await until(async () => (await opened()) !== "");
    expect((await opened()).trim()).toBe(`${dev.url()}/console/`);
    expect((await fetch(`${dev.url()}/info`)).status).toBe(200);
    expect(new URL(dev.url()).pathname).toBe("/api");

    await writeFile(join(dev.project, "unrelated.txt"), "");
    await writeFile(join(dev.project, "notes.txt"), "A note");
    await dev.until("↻ notes.txt changed");
    await dev.until("✓ Ready again after");
    expect(dev.printed()).not.toContain("unrelated.txt");
  });

  test("a folder without a project is an error", async () => {
    const empty = await makeProject({ "a/b": "" });
    await rm(join(empty, "a"), { recursive: true });
    await mkdir(join(empty, "work"));
    const child = spawnCommand(["dev"], {}, join(empty, "work"));
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    expect(output).toMatch(/^ensemble: There is no .*langgraph\.json/);
  });
});
