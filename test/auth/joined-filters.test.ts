import { resolve } from "node:path";
import { expect, test } from "vitest";
import { scopeOf } from "../../src/auth/filter.ts";
import { isEverything } from "../../src/db/scope.ts";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const auth = `import { Auth } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth()
  .authenticate(async (request) => request.headers.get("x-user") ?? "nobody")
  .on("threads:create", () => true)
  .on("threads", ({ user }) =>
    user.identity === "broken" ? { $or: [] }
    : user.identity === "strict" ? { $and: [{ team: "red" }, { $or: [{ owner: "ann" }, { level: 1 }] }], shared: "no" }
    : { $or: [{ owner: user.identity }, { $and: [{ shared: "yes" }, { team: { $eq: "red" } }] }] });`;
const project = await makeProject({
  "auth.mjs": auth,
  "langgraph.json": { graphs: { steps: `${resolve("test/graphs/steps.ts")}:graph` }, auth: { path: "./auth.mjs:auth" } },
});
const { fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });

const as = (user: string, path: string, body: object) =>
  fetch(path, { method: "POST", headers: { "x-user": user, "content-type": "application/json" }, body: JSON.stringify(body) });
const threads = {
  anns: { owner: "ann", team: "blue", shared: "no" },
  sharedRed: { owner: "bob", team: "red", shared: "yes" },
  sharedBlue: { owner: "bob", team: "blue", shared: "yes" },
  annsRed: { owner: "ann", team: "red", shared: "no" },
  firstRed: { owner: "bob", team: "red", shared: "no", level: 1 },
};
for (const [name, metadata] of Object.entries(threads)) await as("admin", "/threads", { metadata: { ...metadata, name } });
const seenBy = async (user: string) => {
  const found = (await (await as(user, "/threads/search", { limit: 100 })).json()) as { metadata: { name: string } }[];
  return found.map(({ metadata }) => metadata.name).sort();
};

test("a handler joins filters with $or and $and, one inside the other", async () => {
  expect(await seenBy("ann")).toEqual(["anns", "annsRed", "sharedRed"]);
  expect(await seenBy("bob")).toEqual(["firstRed", "sharedBlue", "sharedRed"]);
  expect(await seenBy("strict")).toEqual(["annsRed", "firstRed"]);
  expect(await (await as("ann", "/threads/count", {})).json()).toBe(3);
});

test("an empty list of filters denies access", async () => {
  expect((await as("broken", "/threads/search", {})).status).toBe(500);
});

test("only lists of filters may be joined, and not without end", () => {
  for (const bad of [{ $or: {} }, { $or: [] }, { $and: "a" }, { $or: [7] }, { $or: [[]] }, { $or: [{ a: {} }] }, { $and: null }])
    expect(() => scopeOf(bad), JSON.stringify(bad)).toThrow("The filter of an auth handler is invalid");
  const deep = Array.from({ length: 11 }).reduce<object>((inner) => ({ $or: [inner] }), { a: 1 });
  expect(() => scopeOf(deep)).toThrow("10 levels deep");
  expect(isEverything(scopeOf({}))).toBe(true);
});
