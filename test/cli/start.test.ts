import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, inject, test } from "vitest";
import { databaseUrl } from "../cluster.ts";
import { echoProject, isRunning, makeProject, postmasterPid, runCommand, sayHi, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess, type TestProcess } from "../service.ts";

const project = await makeProject(echoProject);
const closedPort = "postgresql://postgres:secret@127.0.0.1:1/postgres";

/** Everything that a test has started. It is stopped after the test, even if the test failed. */
const started: { processes: TestProcess[]; dataDirs: Set<string> } = { processes: [], dataDirs: new Set() };

afterEach(async () => {
  for (const { child } of started.processes.splice(0)) child.kill("SIGKILL");
  for (const dataDir of started.dataDirs) {
    const pid = await postmasterPid(dataDir);
    if (pid && isRunning(pid)) process.kill(pid, "SIGQUIT");
  }
  started.dataDirs.clear();
});

async function start(env: Record<string, string>, cwd = project): Promise<TestProcess> {
  if (env.ENSEMBLE_DATA_DIR) started.dataDirs.add(env.ENSEMBLE_DATA_DIR);
  const service = await startProcess({ PORT: "0", LOG_LEVEL: "warn", ...env }, cwd);
  started.processes.push(service);
  return service;
}

/** Runs a start that must fail. It must print one sentence and nothing else. */
async function failToStart(env: Record<string, string>, cwd = project): Promise<string> {
  const { code, stdout, stderr } = await runCommand(["start"], { DATABASE_URL: closedPort, ENSEMBLE_DATABASE_WAIT_SECS: "0", ...env }, cwd);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^ensemble: .+\n$/);
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
}

const embedded = (name: string) => ({ DATABASE_URL: "", ENSEMBLE_DATA_DIR: join(project, name) });

describe("one sentence says why the service does not start", () => {
  test("a taken port", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const env = { ...embedded("taken-port"), PORT: String(port) };
    expect(await failToStart(env)).toContain(`Port ${port} on 127.0.0.1 is taken`);
    holder.close();
    expect(existsSync(join(env.ENSEMBLE_DATA_DIR, "postgres", "PG_VERSION"))).toBe(true);
    expect(await postmasterPid(env.ENSEMBLE_DATA_DIR)).toBeUndefined();
  });

  test("a database that does not answer", async () => {
    expect(await failToStart({ DATABASE_URL: closedPort })).toContain("The database at 127.0.0.1:1 does not answer");
  });

  test("a wrong password", async () => {
    const url = new URL(inject("serverUrl"));
    url.username = "nobody_of_this_name"; // even a server that trusts every user refuses this one
    url.password = "wrong";
    const sentence = await failToStart({ DATABASE_URL: url.href });
    expect(sentence).toContain("refused the user or the password");
  });

  test("a database that does not exist", async () => {
    const sentence = await failToStart({ DATABASE_URL: databaseUrl(inject("serverUrl"), "no_such_database") });
    expect(sentence).toContain('has no database "no_such_database"');
  });

  test.for(["localhost:5432/db", "mysql://u@h/db", "postgres://u:p@h:port/db"])("a DATABASE_URL like %s", async (url) => {
    const sentence = await failToStart({ DATABASE_URL: url });
    expect(sentence).toContain("DATABASE_URL is not a Postgres URL; it should be like");
    expect(sentence).not.toContain(url);
  });

  test("a DATABASE_DIRECT_URL that is none", async () => {
    expect(await failToStart({ DATABASE_URL: inject("serverUrl"), DATABASE_DIRECT_URL: "x" })).toContain("DATABASE_DIRECT_URL is not");
  });

  test.for([
    ["PORT", "abc"],
    ["PORT", "70000"],
    ["ENSEMBLE_ROLE", "x"],
    ["N_JOBS_PER_WORKER", "0"],
  ])("%s=%s", async ([name = "", value = ""]) => {
    const sentence = await failToStart({ [name]: value });
    expect(sentence).toContain(`${name} (`);
    expect(sentence).toContain(`is "${value}"`);
  });

  test("a variable that may hold a secret, whose value is not shown", async () => {
    const sentence = await failToStart({ LANGGRAPH_CONFIG: "{secret" });
    expect(sentence).toContain("LANGGRAPH_CONFIG (");
    expect(sentence).toContain("is not the JSON that is expected here");
    expect(sentence).not.toContain("secret");
  });

  test.for(["api", "worker"])("a part of a service on a database of its own (%s)", async (role) => {
    expect(await failToStart({ ...embedded("unused"), ENSEMBLE_ROLE: role })).toContain(`ENSEMBLE_ROLE=${role} needs DATABASE_URL`);
    expect(existsSync(join(project, "unused"))).toBe(false);
  });

  test("a data directory that a living service uses", async () => {
    const env = embedded("in-use");
    const service = await start(env);
    const pid = await postmasterPid(env.ENSEMBLE_DATA_DIR);
    expect(await failToStart(env)).toContain(`is in use by another Ensemble (process ${service.child.pid})`);
    expect(await postmasterPid(env.ENSEMBLE_DATA_DIR)).toBe(pid);
    expect((await fetch(`${service.url}/ok?check_db=1`)).status).toBe(200);
    expect(await service.stop()).toBe(0);
  });
});

describe("one sentence says what is wrong with the project", () => {
  const graphs = (path: string) => ({ graphs: { agent: path } });
  const cases: [what: string, files: Record<string, string | object>, says: string | RegExp][] = [
    ["no langgraph.json", {}, "There is no"],
    ["a langgraph.json that is not JSON", { "langgraph.json": "{ graphs" }, "is not JSON"],
    ["no graph", { "langgraph.json": { graphs: {} } }, "graphs: lists no graph"],
    ["no list of graphs", { "langgraph.json": {} }, "graphs: lists no graph"],
    ["a path without an export", { "langgraph.json": graphs("./agent.ts"), "agent.ts": "" }, 'no export "default"; it exports nothing.'],
    ["a path without a file", { "langgraph.json": graphs(":graph") }, 'it should be "<file>:<export>"'],
    ["a file that is not there", { "langgraph.json": graphs("./agent.ts:graph") }, "agent.ts, which does not exist"],
    ["an env file that is not there", { "langgraph.json": { ...graphs("./a.ts:graph"), env: ".env" }, "a.ts": "" }, "env names"],
    [
      "a promise that fails",
      { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": 'export const graph = Promise.reject(new Error("no"));' },
      /could not be built: no \(at \/\S+\/agent\.ts:1:37\)/,
    ],
    [
      "a file that throws after it set a timer",
      { "langgraph.json": graphs("./agent.ts:graph"), "agent.ts": 'setInterval(() => {}, 1000); throw new Error("late");' },
      "could not be imported: late",
    ],
  ];
  test.for(cases)("%s", async ([, files, says]) => {
    const root = await makeProject(files);
    expect(await failToStart({}, root)).toMatch(says);
    expect(existsSync(join(root, ".ensemble"))).toBe(false);
  });
});

test("the example call that the start prints is valid for the graph", async () => {
  const root = await makeProject({
    "langgraph.json": { graphs: { doing: "./doing.mjs:graph" } },
    "doing.mjs": `
      import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
      const State = Annotation.Root({ task: Annotation() });
      export const graph = new StateGraph(State).addNode("one", () => ({})).addEdge(START, "one").addEdge("one", END).compile();`,
  });
  const service = await start({ DATABASE_URL: await createDatabase() }, root);
  const [, body = ""] = /-d '(.*)'/.exec(service.output()) ?? [];
  expect(body).toBe('{"assistant_id":"doing","input":{"task":"hello"}}');
  const answer = await fetch(`${service.url}/runs/wait`, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(await answer.json()).toEqual({ task: "hello" });
  expect(await service.stop()).toBe(0);
});

describe("the embedded Postgres", () => {
  test.for(["SIGINT", "SIGTERM"] as const)("ends with the service on %s, and has its data when started again", async (signal) => {
    const env = embedded(`restart-${signal}`);
    const first = await start(env);
    const pid = await postmasterPid(env.ENSEMBLE_DATA_DIR);
    const { thread_id } = await clientFor([first.url ?? ""]).client.threads.create({ metadata: { kept: true } });
    first.child.kill(signal);
    await first.stop();
    expect(first.child.exitCode).toBe(0);
    await until(() => !isRunning(pid ?? 0));

    const second = await start(env);
    expect(await clientFor([second.url ?? ""]).client.threads.get(thread_id)).toMatchObject({ metadata: { kept: true } });
    expect(await second.stop()).toBe(0);
  });

  test("outlives a killed service, and the next start adopts it", async () => {
    const env = embedded("killed");
    const first = await start(env);
    const { thread_id } = await clientFor([first.url ?? ""]).client.threads.create();
    const pid = (await postmasterPid(env.ENSEMBLE_DATA_DIR)) ?? 0;
    first.child.kill("SIGKILL");
    await first.stop();
    expect(isRunning(pid)).toBe(true);

    const second = await start(env);
    expect(await postmasterPid(env.ENSEMBLE_DATA_DIR)).toBe(pid);
    expect(await clientFor([second.url ?? ""]).client.threads.get(thread_id)).toMatchObject({ thread_id });
    expect(await second.stop()).toBe(0);
    await until(() => !isRunning(pid));
  });

  test("that died leaves a pid file which the next start clears", async () => {
    const env = embedded("stale");
    const service = await start(env);
    const pidFile = join(env.ENSEMBLE_DATA_DIR, "postgres", "postmaster.pid");
    const pid = (await postmasterPid(env.ENSEMBLE_DATA_DIR)) ?? 0;
    const written = await readFile(pidFile, "utf8");
    service.child.kill("SIGKILL");
    await service.stop();
    process.kill(pid, "SIGQUIT"); // kills the whole server with its child processes
    await until(() => !isRunning(pid));
    await writeFile(pidFile, written);

    const next = await start(env);
    expect(await postmasterPid(env.ENSEMBLE_DATA_DIR)).not.toBe(pid);
    expect(await next.stop()).toBe(0);
  });

  test("is not mistaken for another Postgres that reuses its pid", async () => {
    const env = embedded("reused");
    const others = embedded("reused-others");
    expect(await (await start(env)).stop()).toBe(0);
    const other = await start(others);
    const theirs = await readFile(join(others.ENSEMBLE_DATA_DIR, "postgres", "postmaster.pid"), "utf8");
    await writeFile(join(env.ENSEMBLE_DATA_DIR, "postgres", "postmaster.pid"), theirs);

    const service = await start(env);
    expect(await postmasterPid(env.ENSEMBLE_DATA_DIR)).not.toBe(await postmasterPid(others.ENSEMBLE_DATA_DIR));
    expect(await service.stop()).toBe(0);
    expect(await other.stop()).toBe(0);
  });

  test("belongs to exactly one of several services that start simultaneously, also after a crash", async () => {
    const env = embedded("race");
    const crashed = await start(env);
    crashed.child.kill("SIGKILL");
    await crashed.stop();

    const starts = await Promise.allSettled([start(env), start(env), start(env), start(env)]);
    const [service, ...more] = starts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const refused = starts.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    expect(more).toEqual([]);
    for (const reason of refused) expect(reason).toMatch(/is in use by another Ensemble|is being taken by another Ensemble/);
    expect((await fetch(`${service?.url}/ok?check_db=1`)).status).toBe(200);
    expect(await service?.stop()).toBe(0);
  });
});

describe("a stop", () => {
  const files = {
    "langgraph.json": { graphs: { step: "./step.mjs:graph" } },
    "step.mjs": `
      import { existsSync, writeFileSync } from "node:fs";
      import { setTimeout as sleep } from "node:timers/promises";
      import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
      setInterval(() => {}, 1000); // an open handle of a graph must not keep the process alive
      async function step({ dir }, { signal }) {
        writeFileSync(dir + "/entered", "");
        while (!existsSync(dir + "/go")) await sleep(20, undefined, { signal });
        writeFileSync(dir + "/left", "");
        return {};
      }
      export const graph = new StateGraph(Annotation.Root({ dir: Annotation() }))
        .addNode("step", step).addEdge(START, "step").addEdge("step", END).compile();`,
  };

  async function startStep(name: string) {
    const root = await makeProject(files);
    const service = await start({ ENSEMBLE_DATA_DIR: join(root, name), WORKER_DRAIN_TIMEOUT: "20" }, root);
    await clientFor([service.url ?? ""]).client.runs.create(null, "step", { input: { dir: root } });
    await until(() => existsSync(join(root, "entered")));
    return { service, finish: () => writeFile(join(root, "go"), ""), left: () => existsSync(join(root, "left")) };
  }

  test("lets a step that is running reach its end", async () => {
    const { service, finish, left } = await startStep("drain");
    const stopped = service.stop();
    const answers = () =>
      fetch(`${service.url}/ok`).then(
        () => true,
        () => false,
      );
    await until(async () => !(await answers()));
    await finish();
    expect(await stopped).toBe(0);
    expect(left()).toBe(true);
  });

  test("that is asked for twice waits for nothing", async () => {
    const { service, left } = await startStep("hurry");
    service.child.kill("SIGINT");
    await until(() => service.output().includes("once more"));
    service.child.kill("SIGINT");
    expect(await service.stop()).toBe(0);
    expect(left()).toBe(false);
  });
});

test("the project's env reaches every command, under the process's own", async () => {
  const root = await makeProject({
    "langgraph.json": { graphs: { hi: "./hi.mjs:graph" }, env: ".env" },
    "hi.mjs": `${sayHi} export const graph = builder.compile();`,
    ".env": `DATABASE_URL=${closedPort}\nENSEMBLE_MODEL=from-the-file\nLOG_LEVEL=error\n`,
  });
  const migrated = await runCommand(["migrate"], {}, root);
  expect(migrated).toMatchObject({ code: 1, stderr: expect.stringContaining("The database at 127.0.0.1:1 does not answer") });
  const { stdout } = await runCommand(["config"], { LOG_LEVEL: "debug" }, root);
  expect(stdout).toMatch(/ENSEMBLE_MODEL +from-the-file/);
  expect(stdout).toMatch(/LOG_LEVEL +debug/);
});
