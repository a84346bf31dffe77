import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const graphs = { steps: `${resolve("test/graphs/steps.ts")}:graph` };
const auth = `import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth().authenticate(async (request) => {
  if (request.headers.get("x-key") !== "good") throw new HTTPException(401);
  return "ann";
});`;
const app = (routes: string) => `import { Hono } from "hono";
export const app = new Hono();
${routes}`;

async function startWith(routes: string, http: object = {}, isGuarded = false) {
  const project = await makeProject({
    "auth.mjs": auth,
    "app.mjs": app(routes),
    "langgraph.json": { graphs, http: { app: "./app.mjs:app", ...http }, ...(isGuarded && { auth: { path: "./auth.mjs:auth" } }) },
  });
  return startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ENSEMBLE_CONSOLE: "on" });
}

const html = { accept: "text/html" };

test("the project's own app answers at / if it wants to", async () => {
  const { fetch } = await startWith('app.get("/", (context) => context.text("mine"));');
  expect(await (await fetch("/", { headers: html })).text()).toBe("mine");
  expect((await fetch("/console/config.json")).status).toBe(200);
});

test("an app that has no / lets browsers come to the console, below the prefix too", async () => {
  const { fetch } = await startWith('app.get("/mine", (context) => context.text("mine"));', { mount_prefix: "/api" });
  const { status, headers } = await fetch("/", { headers: html, redirect: "manual" });
  expect(status).toBeOneOf([302, 404]); // 404 if the console was not built here
  if (status === 302) expect(headers.get("location")).toBe("/api/console/");
  expect(await (await fetch("/console/config.json")).json()).toMatchObject({ prefix: "/api", auth: [], mode: "on" });
});

test("the console needs no credentials, and opens no route of the app that does", async () => {
  const { fetch } = await startWith('app.get("/console/secret", (context) => context.text("a secret"));', {}, true);
  expect(await (await fetch("/console/config.json")).json()).toMatchObject({ auth: ["custom"] });
  expect(await (await fetch("/console/secret")).text()).not.toContain("a secret");
  expect(await (await fetch("/console/secret", { headers: { "x-key": "good" } })).text()).toBe("a secret");
  expect((await fetch("/", { headers: html })).status).toBe(401);
});

test("a feedback URL needs no credentials, and opens no route of the app that does", async () => {
  const { fetch } = await startWith('app.all("/feedback/tokens/:token", (context) => context.text("a secret"));', {}, true);
  const forged = `/feedback/tokens/${Buffer.from('["x",0,"k"]').toString("base64url")}.${"a".repeat(43)}`;
  const response = await fetch(forged, { method: "POST" });
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining("not valid")]);
  expect((await fetch("/feedback/tokens/short")).status).toBe(401);
});

test("a feedback URL leads through the app in front and below the prefix", async () => {
  const { fetch: ask, urls } = await startWith('app.get("/mine", (context) => context.text("mine"));', { mount_prefix: "/api" }, true);
  const body = JSON.stringify({ assistant_id: "steps", input: {}, feedback_keys: ["k"] });
  const answer = await ask("/runs/wait", { method: "POST", body, headers: { "x-key": "good", "content-type": "application/json" } });
  const { __feedback__: offered } = (await answer.json()) as { __feedback__: { k: string } };
  expect(offered.k.startsWith(`${urls[0]}/feedback/tokens/`)).toBe(true);
  expect(urls[0]).toMatch(/\/api$/);
  expect(await (await fetch(`${offered.k}?score=1`)).json()).toMatchObject({ key: "k", score: 1 });
});
