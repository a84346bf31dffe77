import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";

const launcher = fileURLToPath(new URL("../../src/cli/launch.cjs", import.meta.url));

/** Runs the launcher on a Node that reports this version. */
async function launch(version: string) {
  const root = await makeProject({
    "pretend.cjs": `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`,
  });
  const child = spawn(process.execPath, ["-r", join(root, "pretend.cjs"), launcher, "--version"], { cwd: root });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: child.exitCode, stdout, stderr };
}

test.for(["14.21.3", "20.20.2", "22.17.1"])("Node %s is told which one is needed, before anything else is loaded", async (version) => {
  const { code, stdout, stderr } = await launch(version);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^ensemble: This is Node .+, and Ensemble needs 22\.18 or newer\. .+ npm install node@24\n$/);
  expect(stderr).toContain(`This is Node ${version},`);
});

test.for(["22.18.0", "24.0.0"])("Node %s runs the command", async (version) => {
  expect(await launch(version)).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
