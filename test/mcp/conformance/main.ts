import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Runs the conformance suite of MCP against a service, once for each version of the protocol: npm run test:mcp
 *
 * The fixtures that the suite names are graphs of this folder. `expected-failures-*.yml` lists what a graph cannot be, with the reasons.
 */
const versions = ["2025-11-25", "2026-07-28"];
/** The scenarios of the tasks extension. No version requires them, so the suite would not count them. */
const taskScenarios = [
  "tasks-lifecycle",
  "tasks-capability-negotiation",
  "tasks-wire-fields",
  "tasks-request-state-removal",
  "tasks-mrtr-input",
  "tasks-request-headers",
  "tasks-dispatch-and-envelope",
  "tasks-required-task-error",
  "tasks-mrtr-composition",
];
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const suite = here("../../../node_modules/@modelcontextprotocol/conformance/dist/index.js");
const command = here("../../../src/cli/ensemble.ts");

/** When the calls of a fixture become tasks. The other fixtures keep the default. */
const taskUse = {
  greet: "never",
  slow_compute: "always",
  failing_job: "required",
  protocol_error_job: "always",
  confirm_delete: "always",
  multi_input: "always",
};

const folder = await mkdtemp(join(tmpdir(), "mcp-conformance-"));
await chmod(folder, 0o755); // under root, the embedded Postgres runs as another user
const service = spawn(process.execPath, [command, "start"], {
  cwd: folder,
  env: {
    PATH: process.env.PATH,
    PORT: "0",
    LOG_LEVEL: "error",
    ENSEMBLE_DATA_DIR: join(folder, "data"),
    ENSEMBLE_CONFIG: here("langgraph.json"),
  },
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const url = await urlOf(service);
  for (const [graph, tasks] of Object.entries(taskUse)) await setTaskUse(url, graph, tasks);
  for (const graph of ["test_streaming_elicitation", "test_logging_tool"]) await warmUp(url, graph);
  const failed: string[] = [];
  for (const version of versions) {
    const expected = here(`expected-failures-${version}.yml`);
    if ((await runSuite(url, ["--requirements", version, "--expected-failures", expected])) !== 0) failed.push(version);
  }
  for (const scenario of taskScenarios) {
    const expected = here("expected-failures-tasks.yml");
    if ((await runSuite(url, ["--scenario", scenario, "--expected-failures", expected])) !== 0) failed.push(scenario);
  }
  if (failed.length > 0) process.exitCode = 1;
  console.log(failed.length > 0 ? `The suite found something unexpected for ${failed.join(" and ")}.` : "Nothing unexpected.");
} finally {
  if (service.exitCode === null) service.kill("SIGTERM");
  if (service.exitCode === null) await once(service, "exit");
  await rm(folder, { recursive: true, force: true });
}

async function urlOf({ stdout }: typeof service): Promise<string> {
  let output = "";
  for await (const chunk of stdout ?? []) {
    output += chunk;
    const url = /listens on (\S+)/.exec(output)?.[1];
    if (url) return url;
  }
  throw new Error(`The service ended: ${output}`);
}

async function setTaskUse(url: string, graph: string, tasks: string): Promise<void> {
  const { assistant_id: id } = (await (await fetch(`${url}/assistants/${graph}`)).json()) as { assistant_id: string };
  const body = JSON.stringify({ metadata: { mcp: { tasks } } });
  const response = await fetch(`${url}/assistants/${id}`, { method: "PATCH", headers: { "content-type": "application/json" }, body });
  if (!response.ok) throw new Error(`${graph}: ${response.status} ${await response.text()}`);
}

/** Runs a graph once, because the suite gives some tools only half a second. */
async function warmUp(url: string, graph: string): Promise<void> {
  const body = JSON.stringify({ assistant_id: graph, input: {} });
  await (await fetch(`${url}/runs/wait`, { method: "POST", headers: { "content-type": "application/json" }, body })).text();
}

async function runSuite(url: string, which: string[]): Promise<number | null> {
  console.log(`\n=== ${which.slice(0, 2).join(" ")}`);
  const run = spawn(process.execPath, [suite, "server", "--url", `${url}/mcp`, ...which, ...process.argv.slice(2)], { stdio: "inherit" });
  const [code] = await once(run, "exit");
  return code;
}
