import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeDataDirectory } from "../../src/db/data-directory.ts";
import { publishAddress } from "../../src/startup/own-address.ts";
import { makeProject, postmasterPid, runCommand, sayHi, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProcess, type TestProcess } from "../service.ts";

/** A server on the usual port that is not Ensemble, unless this machine already has one there. */
const squatter: Server = createServer((_, response) => response.writeHead(404).end("nothing"));
beforeAll(async () => {
  squatter.listen(2024, "127.0.0.1");
  await Promise.race([once(squatter, "listening"), once(squatter, "error")]).catch(() => {});
});
afterAll(() => squatter.close());

const started: TestProcess[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ stop }) => stop()));
});

const project = (graphId: string) =>
  makeProject({
    "langgraph.json": { graphs: { [graphId]: "./hi.mjs:graph" } },
    "hi.mjs": `${sayHi} export const graph = builder.compile();`,
  });

/** Starts a project's service as a user does, without any setting about ports. */
async function start(root: string): Promise<TestProcess> {
  const service = await startProcess({ DATABASE_URL: await createDatabase(), LOG_LEVEL: "error", WORKER_DRAIN_TIMEOUT: "0.2" }, root);
  started.push(service);
  return service;
}

const graphsOf = async (root: string) => {
  const { stdout, stderr, code } = await runCommand(["graphs", "--json"], { PORT: "" }, root);
  return code === 0 && stderr === "" ? JSON.parse(stdout).map(({ graph_id }: { graph_id: string }) => graph_id) : stderr;
};
const portOf = ({ url = "" }: TestProcess) => Number(new URL(url).port);

test("two projects run side by side: each takes a free port, and its commands find it", async () => {
  const [first, second] = await Promise.all([project("one"), project("two")]);
  const services = [await start(first), await start(second)];
  expect(services.map(portOf)).not.toContain(2024);
  expect(portOf(services[0] as TestProcess)).not.toBe(portOf(services[1] as TestProcess));
  for (const service of services)
    expect(service.output()).toContain(`Port 2024 is taken by another process: this service uses ${portOf(service)}.`);
  expect([await graphsOf(first), await graphsOf(second)]).toEqual([["one"], ["two"]]);
  expect(await runCommand(["health"], { PORT: "" }, second)).toMatchObject({ code: 0 });
  expect(existsSync(join(first, ".ensemble", ".gitignore"))).toBe(true);
  await services[0]?.stop();
  expect(await graphsOf(first)).toContain("No service of this directory runs");
});

test("a service that was killed is not looked for any more", async () => {
  const root = await project("one");
  const service = await start(root);
  service.child.kill("SIGKILL");
  await service.exited;
  expect(await graphsOf(root)).toContain("No service of this directory runs");
});

test("a command uses the port in PORT, even if another service runs in the directory", async () => {
  const root = await project("one");
  const other = createServer((_, response) => response.writeHead(404).end("nothing")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  await publishAddress(join(root, ".ensemble"), "http://127.0.0.1:1");
  const { stderr } = await runCommand(["graphs"], { PORT: String(port) }, root);
  other.close();
  expect(stderr).toBe(`ensemble: The server at http://127.0.0.1:${port} is not an Ensemble service (404 at /ok).\n`);
});

test("the demo starts its own service beside whatever has the usual port", async () => {
  const staged = new URL("../graphs/staged.ts:graph", import.meta.url).pathname;
  const root = await makeProject({ "langgraph.json": { graphs: { scenario: staged } } });
  const { code, stdout, stderr } = await runCommand(["demo"], { PORT: "" }, root);
  expect(stderr).toMatch(/^No service of this directory runs\. Starting one\.\nIt listens on http:\S+; its log is \S+demo\.log\.\n$/);
  expect({ code, compared: stdout.includes("Recommended medium") }).toEqual({ code: 0, compared: true });
  await until(async () => (await postmasterPid(join(root, ".ensemble"))) === undefined);
});

test("the data directory keeps itself out of a repository, unless somebody else made it", async () => {
  const root = await makeProject({ "mine/notes.txt": "" });
  for (const name of [".ensemble", "new", "mine"]) await makeDataDirectory(join(root, name));
  expect(await readFile(join(root, ".ensemble", ".gitignore"), "utf8")).toBe("*\n");
  expect(existsSync(join(root, "new", ".gitignore"))).toBe(true);
  expect(existsSync(join(root, "mine", ".gitignore"))).toBe(false);
});
