import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { SignJWT } from "jose";
import { pino } from "pino";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
for (const [name, value] of Object.entries(endpoint)) vi.stubEnv(name, value);
const secret = "a secret that is shared with the issuer, and long";
const shipped = fileURLToPath(new URL("../../langgraph.json", import.meta.url));
const { urls } = await startTestService({
  ENSEMBLE_CONFIG: shipped,
  ENSEMBLE_JWT_SECRET: secret,
  ...endpoint,
});

const token = await new SignJWT({ sub: "ann", exp: Math.floor(Date.now() / 1_000) + 600 })
  .setProtectedHeader({ alg: "HS256" })
  .sign(new TextEncoder().encode(secret));
/** A user of the built-in auth, who may not do what only the operator may do. */
const ann = new Client({
  apiUrl: urls[0] ?? "",
  apiKey: null,
  defaultHeaders: { authorization: `Bearer ${token}` },
  callerOptions: { maxRetries: 0 },
});

/** A page inside the network, which records who reads it. */
const hits: (string | undefined)[] = [];
const inside = createServer(({ url }, response) => {
  hits.push(url);
  response.setHeader("content-type", "text/plain").end("secret");
});
await once(inside.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  inside.closeAllConnections();
  inside.close();
});
const host = `127.0.0.1:${(inside.address() as AddressInfo).port}`;

/** Sets the operator's limits for one test. */
function allow(limits: { hosts?: string; directories?: string }): void {
  vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", limits.hosts ?? "");
  vi.stubEnv("ENSEMBLE_PATTERN_DIRECTORIES", limits.directories ?? "");
  hits.length = 0;
}

interface Answer {
  steps: { observation: string }[];
  progress: Record<string, { status: string; measures: object }>;
  __error__?: { message: string };
}
const start = async (graph: string, payload: object, threadId: string | null = null) =>
  (await ann.runs.wait(threadId as string, graph, { ...payload, raiseError: false })) as unknown as Answer;

const call = { id: "call_1", name: "fetch_page", args: { url: `http://${host}/` }, type: "tool_call" };

describe("fetch_page", () => {
  const context = (allowedHosts?: string[]) => ({ tools: ["fetch_page"], ...(allowedHosts && { allowedHosts }) });

  async function observe(allowedHosts?: string[]) {
    model.script({ toolCall: call }, { tokens: ["Done."] });
    const input = { messages: [{ role: "user", content: "Read" }] };
    return (await start("react", { input, context: context(allowedHosts) })).steps[0]?.observation;
  }

  test("reads no address inside that a caller's context names", async () => {
    allow({});
    expect(await observe([host, "127.0.0.1"])).toContain("is inside our own network");
    expect(hits).toEqual([]);
  });

  test("reads none by goto into the tool's node, and none by an update of the state", async () => {
    allow({});
    const { thread_id: threadId } = await ann.threads.create();
    const message = { type: "ai", content: "", tool_calls: [call] };
    const forged = { messages: [message], _offered: ["fetch_page"], _approve: [], allowedHosts: [host] };
    const goto = { node: "tools", input: { ...forged, lg_tool_call: call } };
    model.script({ tokens: ["Done."] });
    const jumped = await start("react", { command: { goto }, context: context([host]) }, threadId);
    expect(JSON.stringify(jumped)).toContain("is inside our own network");

    await ann.threads.updateState(threadId, { values: forged, asNode: "model_request" });
    model.script({ tokens: ["Done."] });
    await start("react", { input: null, context: context([host]) }, threadId);
    model.script({ tokens: ["Done."] });
    await start("react", { command: { update: forged, goto: "model_request" }, context: context([host]) }, threadId);
    expect(hits).toEqual([]);
  });

  test("reads what the operator allows, and less where the context says so", async () => {
    allow({ hosts: `elsewhere.test ${host}` });
    expect(await observe()).toBe("secret");
    expect(await observe([host, "other.test"])).toBe("secret");
    expect(await observe([])).toContain("is inside our own network");
    expect(await observe(["elsewhere.test"])).toContain("is inside our own network");
  });
});

const scenario = (skillParams: object) => ({ name: "mine", difficulty: "easy", inputSize: 2, batchSize: 2, skillParams });

describe("performance-testing", () => {
  const loadAt = (target: string, allowedHosts?: string[]) =>
    start("scenario", {
      input: { skill: "performance-testing", scenarios: [scenario({ targets: [target], requests: 1 })] },
      context: { batchRetries: 0, ...(allowedHosts && { allowedHosts }) },
    });

  test("loads no port of this machine but the service's own, whatever the context allows", async () => {
    allow({});
    const { port } = new URL(urls[0] ?? "");
    for (const target of [`http://${host}/`, `http://localhost:${new URL(`http://${host}`).port}/`, "http://127.0.0.1/"])
      expect((await loadAt(target, [host])).__error__?.message).toContain("ENSEMBLE_PATTERN_HOSTS");
    expect(hits).toEqual([]);
    for (const target of [`${urls[0]}/info`, `http://localhost:${port}/info`])
      expect((await loadAt(target)).progress.mine).toMatchObject({ status: "complete" });
  });

  test("loads what the operator allows", async () => {
    allow({ hosts: host });
    expect((await loadAt(`http://${host}/`)).progress.mine).toMatchObject({ status: "complete" });
    expect((await loadAt(`http://${host}/`, [])).__error__?.message).toContain("ENSEMBLE_PATTERN_HOSTS");
  });
});

describe("security-scanning", async () => {
  const place = await mkdtemp(join(tmpdir(), "limits-"));
  afterAll(() => rm(place, { recursive: true }));
  for (const name of ["code/deep", "outside"]) await mkdir(join(place, name), { recursive: true });
  for (const name of ["code/a.py", "code/deep/b.py", "outside/c.py"]) await writeFile(join(place, name), 'os.system("rm " + name)');
  await symlink(join(place, "outside"), join(place, "code/link"));

  async function scan(directory: string, allowedDirectories?: string[]) {
    const input = { skill: "security-scanning", scenarios: [scenario({ directory })] };
    const { progress, __error__ } = await start("scenario", {
      input,
      context: { batchRetries: 0, ...(allowedDirectories && { allowedDirectories }) },
    });
    return __error__?.message ?? progress.mine?.measures;
  }
  const refused = expect.stringContaining("ENSEMBLE_PATTERN_DIRECTORIES");

  test("lists no directory that only a caller's context names, and does not say whether there is one", async () => {
    allow({});
    expect(await scan(place, ["/"])).toEqual(refused);
    const missing = join(place, "nowhere");
    expect(String(await scan(missing, ["/"])).replace(missing, place)).toBe(await scan(place, ["/"]));
  });

  test("lists what the operator allows, and less where the context says so", async () => {
    allow({ directories: `/nowhere, ${place}/code` });
    expect(await scan(join(place, "code"))).toMatchObject({ files: 2 });
    expect(await scan(join(place, "code/deep"), ["/"])).toMatchObject({ files: 1 });
    expect(await scan(join(place, "code/deep"), [join(place, "code/deep")])).toMatchObject({ files: 1 });
    for (const [directory, context] of [
      [join(place, "code"), [join(place, "code/deep")]],
      [join(place, "code"), []],
      [join(place, "outside"), [place]],
      [join(place, "code/link"), undefined],
      [join(place, "code/../outside"), undefined],
    ] as const)
      expect([directory, await scan(directory, context && [...context])]).toEqual([directory, refused]);
    expect(await scan(join(place, "code/nowhere"))).toContain("ENOENT"); // the caller may read this directory
  });
});

test("langgraph.json allows what the environment does not say otherwise, with paths from its folder", async () => {
  const graphs = { steps: `${import.meta.dirname}/../graphs/steps.ts:graph` };
  const patterns = { allowed_hosts: ["inside.test:8080"], allowed_directories: ["./code", "/srv"] };
  const project = await makeProject({ "langgraph.json": { graphs, ensemble: { patterns } } });
  const start = async (env: Record<string, string>) => {
    allow({});
    const settings = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: await createDatabase(), PORT: "0", ...env };
    const service = await startService(readConfig(settings), pino({ level: "silent" }));
    onTestFinished(() => service.stop());
    return [process.env.ENSEMBLE_PATTERN_HOSTS, process.env.ENSEMBLE_PATTERN_DIRECTORIES];
  };
  expect(await start({})).toEqual(["inside.test:8080", `${project}/code,/srv`]);
  expect(await start({ ENSEMBLE_PATTERN_HOSTS: "a.test", ENSEMBLE_PATTERN_DIRECTORIES: "/opt/a b, /opt/c" })).toEqual([
    "a.test",
    "/opt/a b,/opt/c",
  ]);
});

test("a limit that could not be what was meant stops the start", async () => {
  expect(() => readConfig({ ENSEMBLE_PATTERN_HOSTS: "http://inside.test/" })).toThrow("ENSEMBLE_PATTERN_HOSTS");
  expect(() => readConfig({ ENSEMBLE_PATTERN_HOSTS: "*.inside.test" })).toThrow("ENSEMBLE_PATTERN_HOSTS");
  expect(() => readConfig({ ENSEMBLE_PATTERN_DIRECTORIES: "code" })).toThrow("ENSEMBLE_PATTERN_DIRECTORIES");
});
