import { expect, test } from "vitest";
import { echoProject, makeProject, runCommand, until } from "../command.ts";
import { startTestService } from "../service.ts";

const project = await makeProject(echoProject);
const { client, databaseUrl } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const ensemble = (...words: string[]) => runCommand(["stats", ...words], { DATABASE_URL: databaseUrl }, project);

test("stats shows the runs of the last day, of all graphs or of one, also as JSON", async () => {
  await client.runs.wait(null, "hi", { input: {} });
  let shown = "";
  await until(async () => {
    shown = (await ensemble()).stdout;
    return shown.includes("1 succeeded");
  });
  expect(shown).toMatch(/^Since \S+\nhi {2}1 created {2}1 succeeded {2}0 failed {2}0 interrupted {2}\S+\/h {2}duration p50 /);
  expect(JSON.parse((await ensemble("hi", "--json")).stdout)).toMatchObject({ runs: { created: 1, succeeded: 1 }, agents: [], alerts: [] });
  expect((await ensemble("other")).stdout).toMatch(/^No runs since \S+\.\n$/);
});

test("stats refuses a time that is none", async () => {
  const { code, stderr } = await ensemble("--since", "soon");
  expect(code).toBe(1);
  expect(stderr).toContain('--since is "soon"; it should be a date such as 2026-01-31.');
});
