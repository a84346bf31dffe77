import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const file = fileURLToPath(new URL("../../src/console/api-types.ts", import.meta.url));
const generator = fileURLToPath(new URL("./generate-types.mjs", import.meta.url));
const { fetch } = await startTestService();

test("the console's types of the API are those of openapi.json; `npm run generate:api-types` writes them", async () => {
  const document = await (await fetch("/openapi.json")).text();
  const { stdout, stderr, status } = spawnSync(process.execPath, [generator], { input: document, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  if (process.env.UPDATE_DOCS) writeFileSync(file, stdout);
  else expect(stdout === readFileSync(file, "utf8")).toBe(true);
});
