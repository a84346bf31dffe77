import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client } = await startTestService();

test("a graph runs and its values come back", async () => {
  const values = await client.runs.wait(null, "steps", { input: {} });
  expect(values).toEqual({ log: ["one", "two", "three"], last: "three" });
});
