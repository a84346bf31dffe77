import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { plans as runPlans } from "../../src/cli/plans-command.ts";
import { makeProject, runCommand } from "../command.ts";
import { startTestService } from "../service.ts";

const { databaseUrl, db } = await startTestService();
const plans = async (words: string[], input = "") => {
  const { code, stdout, stderr } = await runCommand(["plans", ...words], { DATABASE_URL: databaseUrl }, undefined, input);
  if (code !== 0) throw new Error(stderr);
  return stdout.trimEnd();
};

test("`ensemble plans` creates, updates, shows, aggregates, lists and cleans up plans", async () => {
  const project = await makeProject({ "tasks.json": [{ id: "a" }, { id: "b", depends_on: ["a"] }] });
  const plan = await plans(["create", "--type", "pipeline", "--title", "Two steps", "--subtasks", `${project}/tasks.json`]);
  await plans(["create", "--subtasks", "-"], '[{"id":"only"}]');
  expect(await plans(["update", plan, "a", "--status", "running", "--agent", "w1"])).toBe('Subtask "a" is running.');
  await plans(["update", plan, "a", "--status", "done", "--result", "three facts"]);
  expect(await plans(["status", plan])).toMatch(/^Two steps: running, 50 % done\n.*\na +done +w1 +1\n[\s\S]*Ready: b$/);
  await plans(["update", plan, "b", "--status", "done", "--result", '{"n":1}']);
  expect(JSON.parse(await plans(["aggregate", plan]))).toMatchObject({
    complete: true,
    results: [
      { id: "a", result: "three facts" },
      { id: "b", result: { n: 1 } },
    ],
  });
  expect(await plans(["list"])).toContain(plan);
  expect(await plans(["list", "--active"])).not.toContain(plan);
  await db.query("update plans set updated_at = now() - interval '8 days' where plan_id = $1", [plan]);
  expect(await plans(["cleanup", "--days", "7"])).toBe("1 plan is deleted.");
  expect(JSON.parse(await plans(["list", "--json"]))).toHaveLength(1);
});

test.each([
  [["create"], "--subtasks"],
  [["create", "--subtasks", "[{"], "--subtasks is not JSON"],
  [["create", "--subtasks", '[{"id":"a","depends_on":["b"]}]'], 'subtasks[0].depends_on[0]: there is no subtask "b"'],
  [["create", "--subtasks", "/no/such/file"], "could not be read: ENOENT"],
  [["update", randomUUID(), "a"], "--status"],
  [["update", randomUUID(), "a", "--status", "ready"], "status"],
  [["update", "nonsense", "a", "--status", "done"], '"nonsense" is not the id of a plan.'],
  [["status"], "needs the id of a plan"],
  [["cleanup", "--days", "soon"], "--days"],
  [["draw"], '"plans" does not take "draw".'],
])("`ensemble plans %s` is refused with a sentence", async (words, sentence) => {
  const { args } = readArguments(["plans", ...words], commands);
  await expect(runPlans(args)).rejects.toThrow(sentence);
});
