import { expect, test } from "vitest";
import { echoProject, makeProject, runCommand } from "../command.ts";
import { startTestService } from "../service.ts";

const limits = { db: { pool: 2 }, "open ai": { rate: "1000/m" } };
const file = { ...echoProject["langgraph.json"], ensemble: { resources: limits } };
const project = await makeProject({ ...echoProject, "langgraph.json": file });
const { databaseUrl, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const ensemble = (...words: string[]) => runCommand(["resources", ...words], { DATABASE_URL: databaseUrl }, project);

test("resources lists the resources, and changes and resets a limit", async () => {
  expect((await ensemble()).stdout).toBe(
    "db  pool of 2  0 held  2 free  0 waiting  0 had to wait\nopen ai  1000/m  0 held  1000 free  0 waiting  0 had to wait\n",
  );
  expect((await ensemble("set", "db", "5")).stdout).toBe("db  pool of 5 (set by an operator)  0 held  5 free  0 waiting  0 had to wait\n");
  expect((await ensemble("set", "open ai", "10/s")).stdout).toContain("open ai  10/s (set by an operator)");
  expect((await ensemble("reset", "db")).stdout).toBe("db  pool of 2  0 held  2 free  0 waiting  0 had to wait\n");
});

test("reset deletes a resource that langgraph.json no longer has", async () => {
  await db.query("insert into resources (name, kind, capacity) values ('old', 'pool', 1)");
  expect((await ensemble("reset", "old")).stdout).toBe("Deleted old, because langgraph.json does not have it.\n");
  expect((await ensemble()).stdout).not.toContain("old");
});

test.each([
  [["set", "nothing", "1"], 'There is no resource "nothing". There are "db", "open ai". Add it to ensemble.resources in langgraph.json.'],
  [["reset", "nothing"], 'There is no resource "nothing". There are "db", "open ai". Add it to ensemble.resources in langgraph.json.'],
  [["set", "db", "1/s"], '"db" is a pool, so give a number.'],
  [["set", "open ai", "1"], '"open ai" is a rate, so give a rate such as "1000/m".'],
  [["set", "db", "0"], '"0" is not a limit: the size of a pool is a whole number from 1 to 2147483647.'],
  [
    ["set", "db", "many"],
    '"many" is not a limit: a rate must be a whole number and a unit of time, such as "10/s", "1000/m", "500/h" or "100/d".',
  ],
  [["set", "db"], '"resources" lists the resources. To change one, use `resources set <name> <limit>` or `resources reset <name>`.'],
  [["remove"], '"resources" lists the resources. To change one, use `resources set <name> <limit>` or `resources reset <name>`.'],
])("resources %j is refused with a sentence", async (words, sentence) => {
  expect(await ensemble(...words)).toEqual({ code: 1, stdout: "", stderr: `ensemble: ${sentence}\n` });
});
