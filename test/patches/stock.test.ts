import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** If a test fails here, a release of a library has fixed what we patch. Delete the patch and its line here. */
const run = promisify(execFile)(process.execPath, [fileURLToPath(new URL("./stock.ts", import.meta.url))]);
const stock = async () => JSON.parse((await run).stdout);

test("LangGraph's wrapper of a store still drops what a node says of an item, and lists no namespaces", async () => {
  const { store } = await stock();
  expect(store.passedOn).not.toContain("index");
  expect(store.passedOn).not.toContain("ttl");
  expect(store.listing).toMatch(/^throws/);
});

test("LangGraph still runs finished tasks of a graph inside again when it resumes", async () => {
  expect((await stock()).runsOfTask).toBe(2);
});

test("LangChain still makes a run tree for a call that nobody traces", async () => {
  expect((await stock()).treeOfUntracedCall).toBe(true);
});

test("LangGraph still extends only the zod that it imports itself", async () => {
  expect((await stock()).zodMethods).toEqual({ own: true, copy: false });
});
