import { expect, test } from "vitest";
import { readProject } from "../../src/registry/project.ts";
import { echoProject, makeProject } from "../command.ts";

async function read(resources: unknown) {
  const root = await makeProject({ ...echoProject, "langgraph.json": { ...echoProject["langgraph.json"], ensemble: { resources } } });
  return readProject(`${root}/langgraph.json`);
}

test("the resources of a project are read, and unknown keys of a limit are named", async () => {
  const { resources, ignoredKeys } = await read({ db: { pool: 10 }, "open / ai": { rate: "1000/m", burst: 5 } });
  expect(resources).toMatchObject({ db: { pool: 10 }, "open / ai": { rate: "1000/m" } });
  expect(ignoredKeys).toEqual(["ensemble.resources.open / ai.burst"]);
});

test.each([
  [{ db: { pool: 0 } }, "ensemble.resources.db.pool: Too small: expected number to be >=1."],
  [{ db: { pool: 1.5 } }, "ensemble.resources.db.pool: Invalid input: expected int, received number."],
  [{ db: {} }, "ensemble.resources.db: must have either pool or rate."],
  [{ db: { pool: 1, rate: "1/s" } }, "ensemble.resources.db: must have either pool or rate."],
  [
    { db: { rate: "5/min" } },
    'ensemble.resources.db.rate: must be a whole number and a unit of time, such as "10/s", "1000/m", "500/h" or "100/d".',
  ],
  [{ db: { rate: "9999999999/s" } }, "ensemble.resources.db.rate: must be at most 2147483647."],
  [{ db: 5 }, "ensemble.resources.db: Invalid input: expected object, received number."],
  [{ "a\nb": { pool: 1 } }, "ensemble.resources.a\nb: must have 1 to 100 characters, no control characters, and no space at either end."],
])("the resources %j are refused with a sentence", async (resources, sentence) => {
  await expect(read(resources)).rejects.toThrow(sentence);
});
