import { expect, test } from "vitest";
import { makeProject } from "./command.ts";
import { startProcess, startTestService } from "./service.ts";

/** The source of an error as HTTP clients throw it. It contains the failed request with its credentials. */
const failing = `
export const failWith = (message, secret, more = {}) => {
  const request = { headers: { authorization: secret } };
  throw Object.assign(new Error(message, { cause: Object.assign(new Error("a cause"), { request }) }), { config: request, ...more });
};`;
const auth = `
import { failWith } from "./failing.mjs";
export const auth = { "~handlerCache": {
  authenticate: async (request) => {
    if (request.headers.get("x-user") === "nobody") failWith("the users are not to be had", request.headers.get("authorization"));
    return { identity: "ada", permissions: [] };
  },
  callbacks: { "threads:search": ({ user }) => failWith("the rules are not to be had", "canary-of-handler") },
} };`;
const app = `
export const app = { fetch: (request) => {
  if (new URL(request.url).pathname === "/breaks") throw new Error("a route breaks");
  return new Response("no such route", { status: 404 });
} };`;
const embed = `
import { failWith } from "./failing.mjs";
export const embed = async ([text]) =>
  failWith("Incorrect API key provided: canary-of-provider", "canary-of-model", { status: text.includes("long") ? 400 : 401 });`;
const project = await makeProject({
  "failing.mjs": failing,
  "auth.mjs": auth,
  "app.mjs": app,
  "embed.mjs": embed,
  "langgraph.json": {
    graphs: { steps: `${import.meta.dirname}/graphs/steps.ts:graph` },
    auth: { path: "./auth.mjs:auth" },
    http: { app: "./app.mjs:app" },
    store: { index: { dims: 3, embed: "./embed.mjs:embed" } },
  },
});

test("what requests, handlers and models bring along as proof is in no log, and in no answer of ours", async () => {
  const { databaseUrl } = await startTestService();
  const env = { DATABASE_URL: databaseUrl, PORT: "0", LOG_LEVEL: "trace", ENSEMBLE_CONFIG: `${project}/langgraph.json` };
  const service = await startProcess(env);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${service.url}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  const put = (text: string) =>
    ask("/store/items", { method: "PUT", body: JSON.stringify({ namespace: ["a"], key: "k", value: { text } }) });
  const answers = [
    await ask("/ok?token=canary-of-query"),
    await ask("/nowhere?token=canary-of-query"),
    await ask("/breaks?token=canary-of-query"),
    await ask("/ok?token=canary-of-query", { headers: { "x-user": "nobody", authorization: "Bearer canary-of-caller" } }),
    await ask("/threads/count?token=canary-of-query", { method: "POST", body: "{}" }),
    await put("short"),
    await put("long"),
  ];
  await service.stop();

  expect(answers.map(({ status }) => status)).toEqual([200, 404, 500, 500, 500, 502, 422]);
  expect(answers.slice(5).map(({ text }) => text)).toEqual([
    "The embedding model failed with status 401.",
    "The embedding model refused the text with status 400.",
  ]);
  const log = service.output();
  for (const told of ["/nowhere", "/breaks", "the users are not to be had", "the rules are not to be had", "a route breaks", "a cause"])
    expect(log).toContain(told);
  expect(log.match(/"message":"The embedding model .*: Incorrect API key provided: canary-of-provider: a cause"/g)).toHaveLength(2);
  for (const hidden of ["canary-of-query", "canary-of-caller", "canary-of-handler", "canary-of-model"]) expect(log).not.toContain(hidden);
});
