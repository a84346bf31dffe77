import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { isRunning, makeProject, postmasterPid, runCommand, until } from "../command.ts";

const staged = fileURLToPath(new URL("../graphs/staged.ts:graph", import.meta.url));
const project = await makeProject({
  "langgraph.json": { graphs: { scenario: staged } },
  "bad/langgraph.json": { graphs: { bad: "./bad.mjs:graph" } },
  "bad/bad.mjs": "throw new Error('no key')",
});
const dataDir = join(project, "data");

const servicePid = async () => Number((await readFile(join(dataDir, "owner"), "utf8").catch(() => "0")).split(" ")[0]);

/** Kills a service that a failed test has left running. */
afterEach(async () => {
  const service = await servicePid();
  if (service && isRunning(service)) process.kill(service, "SIGKILL");
  const postgres = await postmasterPid(dataDir);
  if (postgres && isRunning(postgres)) process.kill(postgres, "SIGQUIT");
  await until(() => !postgres || !isRunning(postgres));
});

const demo = (env: Record<string, string>, ...options: string[]) => runCommand(["demo", ...options], env, project);

test("the demo starts a service where none runs, shows the comparison, and stops that service", async () => {
  const { code, stdout, stderr } = await demo({ ENSEMBLE_DATA_DIR: dataDir }, "--mode", "milestone");
  expect(stderr).toMatch(/^No service of this directory runs. Starting one\.\nIt listens on (http:\S+); its log is \S+demo\.log\.\n$/);
  expect(stdout).toContain("data-transformation in mode milestone: simple 100, medium 300, complex 800 items");
  expect(stdout).toMatch(/complex: 30 % after .+\n⇉ met at 30 %: .+\nsimple: 50 %/s);
  expect(stdout).toMatch(/^ +2 {2}medium +complete +300 +0 +1\.0 s +4 +0\.90$/m);
  expect(stdout).toContain("Recommended medium: 300 items a request, about 1.0 s each, 2 at once\n");
  expect(code).toBe(0);
  const [, url = ""] = /listens on (\S+);/.exec(stderr) ?? [];
  await expect(fetch(`${url}/ok`)).rejects.toThrow();
  expect(await postmasterPid(dataDir)).toBeUndefined();
});

test("the demo can keep its service running, and uses a service that already runs", async () => {
  const first = await demo({ ENSEMBLE_DATA_DIR: dataDir }, "--keep");
  const [, url = "", pid = ""] = /stays at (\S+)\. `kill (\d+)` stops it/.exec(first.stderr) ?? [];
  expect(await servicePid()).toBe(Number(pid));
  const second = await demo({ ENSEMBLE_URL: url });
  expect(second).toMatchObject({ code: 0, stderr: `Using the service at ${url}.\n` });
  expect((await fetch(`${url}/ok`)).status).toBe(200);
});

test("a service that cannot start says why", async () => {
  const { code, stderr } = await runCommand(["demo"], { ENSEMBLE_DATA_DIR: dataDir }, join(project, "bad"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/ensemble: The service did not start: .+no key.*\(its log is .+demo\.log\)\n$/);
});
