import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Client } from "@langchain/langgraph-sdk";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { chooseAuth } from "../../src/auth/choose-auth.ts";
import { createKey, nameOfKey } from "../../src/auth/keys.ts";
import { readConfig } from "../../src/config.ts";
import { systemAssistantId } from "../../src/db/ids.ts";
import { makeProject, runCommand, until } from "../command.ts";
import { startReceiver } from "../receiver.ts";
import { startProcess, startTestService } from "../service.ts";

const issuer = "https://issuer.test";
const audience = "ensemble";
const [signing, other] = [await generateKeyPair("RS256"), await generateKeyPair("RS256")];
const publicKey = await exportJWK(signing.publicKey);

/** The issuer's keys, served over real HTTP. With `keysFail`, the server fails. */
let keysFail = false;
const issuerServer = createServer((_request, response) => {
  response.writeHead(keysFail ? 500 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify({ keys: [{ ...publicKey, kid: "one", alg: "RS256", use: "sig" }] }));
});
await new Promise<void>((resolve) => issuerServer.listen(0, "127.0.0.1", resolve));
afterAll(() => issuerServer.close());
const jwksUrl = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}/keys`;

const ops = createKey("ops");
const { urls, db } = await startTestService({
  ENSEMBLE_API_KEY: ops.key,
  ENSEMBLE_API_KEYS: `${createKey("ci").entry}, ${ops.entry}`,
  ENSEMBLE_JWT_JWKS_URL: jwksUrl,
  ENSEMBLE_JWT_ISSUER: issuer,
  ENSEMBLE_JWT_AUDIENCE: audience,
});
const secret = "a secret that is shared with the issuer, and long";
const { urls: withSecret, db: dbWithSecret } = await startTestService({
  ENSEMBLE_JWT_SECRET: secret,
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1",
});

const now = () => Math.floor(Date.now() / 1_000);
const good = (sub: string): JWTPayload => ({ sub, iss: issuer, aud: audience, exp: now() + 600 });
const sign = (payload: JWTPayload, key = signing.privateKey, header: JWTHeaderParameters = { alg: "RS256", kid: "one" }) =>
  new SignJWT(payload).setProtectedHeader(header).sign(key);
const shared = (payload: JWTPayload, text = secret, alg = "HS256") =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(text));
const clientOf = (headers: Record<string, string>, url = urls[0] ?? "") =>
  new Client({ apiUrl: url, apiKey: null, defaultHeaders: headers, callerOptions: { maxRetries: 0 } });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ok = (headers: Record<string, string>, url = urls[0]) => fetch(`${url}/ok`, { headers });
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

const hostile: [what: string, token: string | Promise<string>][] = [
  ["no token at all", "x"],
  ["three parts that are nothing", "a.b.c"],
  ["empty parts", ".."],
  ["no JSON", `${Buffer.from("{").toString("base64url")}.${part({})}.x`],
  ["alg none", new UnsecuredJWT(good("ada")).encode()],
  ["alg none, under a key id", `${part({ alg: "none", kid: "one" })}.${part(good("ada"))}.`],
  ["alg of another case", `${part({ alg: "NONE", kid: "one" })}.${part(good("ada"))}.`],
  ["a signature of somebody else's", sign(good("ada"), other.privateKey)],
  ["the public key taken for a shared secret", shared(good("ada"), JSON.stringify(publicKey))],
  ["an unknown key", sign(good("ada"), signing.privateKey, { alg: "RS256", kid: "two" })],
  ["a key that it brings along", sign(good("ada"), other.privateKey, { alg: "RS256", kid: "one", jwk: publicKey })],
  ["a JWKS that it names itself", sign(good("ada"), other.privateKey, { alg: "RS256", jku: "http://127.0.0.1:1/", kid: "two" })],
  ["the time is over", sign({ ...good("ada"), exp: now() - 60 })],
  ["the time has not come", sign({ ...good("ada"), nbf: now() + 600 })],
  ["no end", sign({ sub: "ada", iss: issuer, aud: audience })],
  ["an end that is no number", sign({ ...good("ada"), exp: "tomorrow" as unknown as number })],
  ["another issuer", sign({ ...good("ada"), iss: "https://evil.test" })],
  ["no issuer", sign({ sub: "ada", aud: audience, exp: now() + 600 })],
  ["for somebody else", sign({ ...good("ada"), aud: "other" })],
  ["nobody's", sign({ ...good(""), sub: "" })],
  ["nobody's, not even empty", sign({ iss: issuer, aud: audience, exp: now() + 600 })],
  ["of a name that cannot be stored", sign(good("ada\u0000"))],
  ["of a name that is half a character", sign(good("ada\ud800"))],
  ["changed after it was signed", sign(good("ada")).then((token) => token.replace(/\.[^.]+\./, `.${part(good("bob"))}.`))],
  ["the hash of a key", ops.entry.split(":")[1] ?? ""],
  ["a key with something behind it", `${ops.key}x`],
  ["very long", "x".repeat(10_000)],
];

test.each(hostile)("a token is refused: %s", async (_what, token) => {
  for (const headers of [bearer(await token), { "x-api-key": await token }]) {
    const response = await ok(headers);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await response.text()).toMatch(/^(The token|This key) .+\.$/);
  }
});

const hostileToSecret: [what: string, token: string | Promise<string>][] = [
  ["alg none", new UnsecuredJWT(good("ada")).encode()],
  ["another secret", shared(good("ada"), `${secret}!`)],
  ["signed with a key", sign(good("ada"))],
  ["the time is over", shared({ sub: "ada", exp: now() - 60 })],
];

test.each(hostileToSecret)("a token is refused where a secret is shared: %s", async (_what, token) => {
  expect((await ok(bearer(await token), withSecret[0])).status).toBe(401);
});

test("a good token lets its user in, whose things are their own", async () => {
  const [ada, bob] = [clientOf(bearer(await sign(good("ada")))), clientOf(bearer(await sign(good("bob@example.org"))))];
  const { thread_id: threadId, metadata } = await ada.threads.create({ metadata: { owner: "bob@example.org" } });
  expect(metadata).toMatchObject({ owner: "ada" });
  await ada.runs.wait(threadId, "steps", { input: {} });
  await expect(bob.threads.get(threadId)).rejects.toThrow("HTTP 404");
  await expect(bob.runs.list(threadId)).rejects.toThrow("HTTP 404");
  expect(await bob.threads.search()).toEqual([]);
  expect(await bob.assistants.get("steps")).toMatchObject({ graph_id: "steps" });
});

test("a user finds the runs of their own threads, a key finds everybody's", async () => {
  const tokens = { ada: bearer(await sign(good("ada"))), bob: bearer(await sign(good("bob"))), key: { "x-api-key": ops.key } };
  const runId = await clientOf(tokens.ada)
    .threads.create()
    .then(async ({ thread_id }) => {
      await clientOf(tokens.ada).runs.wait(thread_id, "steps", { input: {} });
      return (await clientOf(tokens.ada).runs.list(thread_id))[0]?.run_id;
    });
  const search = async (headers: Record<string, string>) => {
    const request = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify({ limit: 1_000 }) };
    return ((await (await fetch(`${urls[0]}/runs/search`, request)).json()) as { run_id: string }[]).map(({ run_id }) => run_id);
  };
  expect(await search(tokens.ada)).toContain(runId);
  expect(await search(tokens.key)).toContain(runId);
  expect(await search(tokens.bob)).not.toContain(runId);
});

test("a user finds the open questions of their own threads, a key finds everybody's", async () => {
  const tokens = { ada: bearer(await sign(good("ada"))), bob: bearer(await sign(good("bob"))), key: { "x-api-key": ops.key } };
  const { thread_id: threadId } = await clientOf(tokens.ada).threads.create();
  await clientOf(tokens.ada).runs.wait(threadId, "survey", { input: { questions: [{ prompt: "q" }] } });
  const search = async (headers: Record<string, string>) => {
    const request = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: "{}" };
    const response = await fetch(`${urls[0]}/interrupts/search`, request);
    return [
      ((await response.json()) as { thread_id: string }[]).map(({ thread_id }) => thread_id),
      response.headers.get("x-pagination-total"),
    ];
  };
  expect(await search(tokens.ada)).toEqual([[threadId], "1"]);
  expect(await search(tokens.key)).toEqual([[threadId], "1"]);
  expect(await search(tokens.bob)).toEqual([[], "0"]);
});

test("a user can neither mark an assistant as a graph's own nor change a graph's own assistant", async () => {
  const [ada, bob] = [clientOf(bearer(await sign(good("ada")))), clientOf(bearer(await sign(good("bob"))))];
  const { assistant_id: assistantId, metadata } = await ada.assistants.create({
    graphId: "steps",
    metadata: { created_by: "system", a: 1 },
  });
  expect(metadata).toEqual({ owner: "ada", a: 1 });
  expect((await ada.assistants.update(assistantId, { metadata: { created_by: "system" } })).metadata).toEqual({ owner: "ada", a: 1 });
  await expect(bob.assistants.get(assistantId)).rejects.toThrow("HTTP 404");
  await expect(ada.assistants.update("steps", { name: "mine" })).rejects.toThrow("HTTP 404");
  await expect(ada.assistants.delete("steps")).rejects.toThrow("HTTP 404");
});

test("permissions are those that the token says, as a list or in OAuth's way", async () => {
  for (const claims of [{ permissions: ["read", "write"] }, { scope: "read write" }]) {
    const client = clientOf(bearer(await sign({ ...good("ada"), ...claims })));
    const { seen } = (await client.runs.wait(null, "mirror", { input: {} })) as { seen: { configurable: Record<string, unknown> } };
    expect(seen.configurable).toMatchObject({ langgraph_auth_user_id: "ada", langgraph_auth_permissions: ["read", "write"] });
  }
});

test("a token signed with the shared secret lets its user in", async () => {
  for (const alg of ["HS256", "HS512"]) {
    expect((await ok(bearer(await shared({ sub: "ada", exp: now() + 60 }, secret, alg)), withSecret[0])).status).toBe(200);
  }
});

test("an API key lets in, in either header, and sees what everybody has", async () => {
  const ada = clientOf(bearer(await sign(good("ada"))));
  const { thread_id: threadId } = await ada.threads.create();
  for (const headers of [{ "x-api-key": ops.key }, bearer(ops.key), { authorization: `bearer ${ops.key}` }]) {
    expect(await clientOf(headers).threads.get(threadId)).toMatchObject({ thread_id: threadId });
  }
  expect(await clientOf({ "x-api-key": ops.key }).crons.create("steps", { schedule: "0 0 1 1 *", input: {} })).toMatchObject({
    user_id: "ops",
  });
});

describe("Studio's header", () => {
  const exported = { "~handlerCache": { authenticate: () => null } };
  const credentials = { method: "GET", url: "/ok", headers: { "x-auth-scheme": "langsmith", origin: "https://smith.langchain.com" } };
  const ask = (host: string) =>
    chooseAuth(readConfig({ HOST: host }), {
      name: "auth.ts:auth",
      exported,
      disableStudio: false,
      allowsOrigin: () => true,
    })?.authenticate(credentials);

  test.each(["127.0.0.1", "localhost", "::1"])("lets in on %s", async (host) => {
    expect(await ask(host)).toMatchObject({ identity: "langgraph-studio-user" });
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "example.org"])("lets nobody in on %s, where it may come from anywhere", async (host) => {
    await expect(ask(host)).rejects.toMatchObject({ status: 401 });
  });

  test("is refused, also on loopback, if langgraph.json sets disable_studio_auth", async () => {
    const auth = `export const auth = { "~handlerCache": { authenticate: () => null } };`;
    const graphs = { steps: `${import.meta.dirname}/../graphs/steps.ts:graph` };
    const start = async (more: object) => {
      const project = await makeProject({ "auth.mjs": auth, "langgraph.json": { graphs, auth: { path: "./auth.mjs:auth", ...more } } });
      const { fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
      return (await fetch("/ok", credentials)).status;
    };
    expect(await start({})).toBe(200);
    expect(await start({ disable_studio_auth: true })).toBe(401);
  });
});

test.each(["/metrics", "/workers"])("an API key is shown %s, which is about everybody, a user is not", async (path) => {
  const statusFor = async (headers: Record<string, string>) => (await fetch(urls[0] + path, { headers })).status;
  expect(await statusFor({ "x-api-key": ops.key })).toBe(200);
  expect(await statusFor(bearer(await sign(good("ada"))))).toBe(403);
});

test("Studio's header is no key", async () => {
  expect((await ok({ "x-auth-scheme": "langsmith" })).status).toBe(401);
});

test("while the issuer's keys cannot be fetched, tokens get a 503 and API keys still work", async () => {
  keysFail = true;
  const { urls: fresh } = await startTestService({ ENSEMBLE_API_KEYS: ops.entry, ENSEMBLE_JWT_JWKS_URL: jwksUrl });
  const response = await ok(bearer(await sign(good("ada"))), fresh[0]);
  expect([response.status, await response.text()]).toEqual([503, "The keys that verify tokens cannot be fetched at the moment."]);
  expect((await ok(bearer(ops.key), fresh[0])).status).toBe(200);
  keysFail = false;
  expect((await ok(bearer(await sign(good("ada"))), fresh[0])).status).toBe(200);
});

test("no user has more crons than are good for all", async () => {
  const ada = clientOf(bearer(await sign(good("ada with many"))));
  const make = () => ada.crons.create("steps", { schedule: "0 0 1 1 *", input: {} });
  for (let made = 0; made < 100; made++) await make();
  await expect(make()).rejects.toThrow("HTTP 409: You have 100 crons");
  const bob = clientOf(bearer(await sign(good("bob with few"))));
  await bob.crons.create("steps", { schedule: "0 0 1 1 *", input: {} });
});

test("a webhook does in this API nothing that its maker might not", async () => {
  const [ada, mallory] = [clientOf(bearer(await sign(good("ada")))), clientOf(bearer(await sign(good("mallory"))))];
  const { thread_id: threadId } = await ada.threads.create();
  await ada.runs.wait(threadId, "steps", { input: {} });
  const before = await ada.threads.getState(threadId);
  for (const path of ["state", "runs"]) {
    const { run_id: runId } = await mallory.runs.create(null, "steps", { input: {}, webhook: `/threads/${threadId}/${path}` });
    const rowOf = async () => (await db.query("select error from webhooks where run_id = $1", [runId])).rows[0];
    await until(async () => (await rowOf())?.error === "The receiver answered 403.");
  }
  expect(await ada.threads.getState(threadId)).toEqual(before);
  expect(await ada.runs.list(threadId)).toHaveLength(1);
});

test("an authenticated user sees and redrives only their own dead webhooks", async () => {
  const unwilling = await startReceiver((response) => response.writeHead(410).end());
  const tokens = { mallory: "", ann: "", bob: "" };
  for (const name of Object.keys(tokens) as (keyof typeof tokens)[]) tokens[name] = await shared({ sub: name, exp: now() + 600 });
  const die = async (name: keyof typeof tokens, log: string, metadata = {}) => {
    const client = clientOf(bearer(tokens[name]), withSecret[0]);
    const { run_id: runId } = await client.runs.create(null, "steps", { input: { log: [log] }, metadata, webhook: `${unwilling.url}/` });
    await until(
      async () => (await dbWithSecret.query("select from webhooks where run_id = $1 and status = 'dead'", [runId])).rowCount === 1,
    );
    return runId;
  };
  const call = async (name: keyof typeof tokens, path: string, body?: object) => {
    const headers = { ...bearer(tokens[name]), "content-type": "application/json" };
    const response = await fetch(`${withSecret[0]}${path}`, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
    return response.ok ? response.json() : `${response.status} ${await response.text()}`;
  };
  const deadOf = async (name: keyof typeof tokens) => {
    const dead = await call(name, "/webhooks/dead");
    return Array.isArray(dead) ? dead.map(({ run_id }) => run_id) : dead;
  };

  const mallorys = await die("mallory", "x\u0000y \ud800", { "\u0000": "\u0000" });
  expect(await deadOf("bob")).toEqual([]);
  const anns = await die("ann", "x");
  const older = await die("ann", "x\u0000y");
  await dbWithSecret.query("update webhooks set metadata = null where run_id = $1", [older]); // as an earlier release stored it
  expect([await deadOf("mallory"), await deadOf("ann"), await deadOf("bob")]).toEqual([[mallorys], [older, anns], []]);

  for (const body of [{}, { run_ids: [anns, older] }]) expect(await call("bob", "/webhooks/redrive", body)).toEqual({ run_ids: [] });
  expect(await call("mallory", "/webhooks/redrive", { run_ids: [anns] })).toEqual({ run_ids: [] });
  expect(unwilling.received).toHaveLength(3);
  expect(await call("ann", "/webhooks/redrive", { run_ids: [older, mallorys] })).toEqual({ run_ids: [older] });
  await until(() => unwilling.received.length === 4);
});

test("a user whose name has dots has a place in the store", async () => {
  const user = clientOf(bearer(await sign(good("ada@example.org"))));
  await user.store.putItem(["ada@example%2Eorg", "notes"], "k", { text: "x" });
  expect(await user.store.getItem(["ada@example%2Eorg", "notes"], "k")).toMatchObject({ value: { text: "x" } });
  await expect(clientOf(bearer(await sign(good("ada")))).store.getItem(["ada@example%2Eorg", "notes"], "k")).rejects.toThrow("HTTP 403");
});

test("a user cannot create an assistant with the id that a graph's own assistant will have", async () => {
  const ada = clientOf(bearer(await sign(good("ada"))));
  const assistantId = systemAssistantId("a graph of tomorrow");
  await expect(ada.assistants.create({ graphId: "steps", assistantId })).rejects.toThrow("HTTP 422");
});

test("a socket is asked again who it is when its token may be over", async () => {
  const url = `${(urls[0] ?? "").replace("http", "ws")}/threads/${crypto.randomUUID()}/stream/events`;
  const socket = new WebSocket(url, { headers: bearer(await sign({ ...good("ada"), exp: now() + 60 })) });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const command = (id: number) => JSON.stringify({ id, method: "run.start", params: { assistant_id: "steps", input: {} } });
  socket.send(command(1));
  expect(JSON.parse(String((await once(socket, "message"))[0]))).toMatchObject({ type: "success", id: 1 });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 120_000 });
  onTestFinished(() => void vi.useRealTimers());
  socket.send(command(2));
  await once(socket, "close");
});

test("a command shows its key, and says so when it has none", async () => {
  const env = { ENSEMBLE_URL: urls[0] ?? "" };
  expect(await runCommand(["graphs"], { ...env, ENSEMBLE_API_KEY: ops.key })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("steps"),
  });
  const refused = await runCommand(["graphs"], env);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("requires a key: set ENSEMBLE_API_KEY") });
});

test("`ensemble key` makes a key that lets in, and prints what the service is to be told of it", async () => {
  const { stdout } = await runCommand(["key", "ada"], {});
  const [key = "", entry = ""] = [/ens_\S+/.exec(stdout)?.[0], /ada:[\da-f]{64}/.exec(stdout)?.[0]];
  expect(readConfig({ ENSEMBLE_API_KEYS: entry }).apiKeys).toMatchObject([{ name: "ada" }]);
  expect(nameOfKey(readConfig({ ENSEMBLE_API_KEYS: entry }).apiKeys, key)).toBe("ada");
});

test("a key is in no log, however much is logged", async () => {
  const { databaseUrl } = await startTestService();
  const env = { DATABASE_URL: databaseUrl, PORT: "0", LOG_LEVEL: "trace", ENSEMBLE_API_KEYS: ops.entry, ENSEMBLE_JWT_SECRET: secret };
  const service = await startProcess({ ...env, ENSEMBLE_CONFIG: "test/graphs/langgraph.json" });
  const token = await shared({ sub: "ada", exp: now() + 60 });
  for (const given of [ops.key, token, "a-wrong-key", `${token}x`]) {
    await clientOf(bearer(given), service.url)
      .runs.wait(null, "steps", { input: {} })
      .catch(() => {});
    await clientOf({ "x-api-key": given }, service.url)
      .threads.get("no-uuid")
      .catch(() => {});
  }
  await service.stop();
  expect(service.output()).toContain("/runs/wait");
  for (const hidden of [ops.key, token, "a-wrong-key", secret]) expect(service.output()).not.toContain(hidden);
});

describe("where nobody is asked", () => {
  const choose = (env: Record<string, string>, project?: unknown) =>
    chooseAuth(
      readConfig(env),
      project === undefined ? undefined : { name: "auth.ts:auth", exported: project, disableStudio: false, allowsOrigin: () => true },
    );

  test.each(["127.0.0.1", "localhost", "::1", "127.8.0.1"])("%s is enough of a door", (host) => {
    expect(choose({ HOST: host })).toBeUndefined();
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.evil.test"])("%s is not, unless that is meant", (host) => {
    expect(() => choose({ HOST: host })).toThrow(`HOST=${host} can be reached by others`);
    expect(choose({ HOST: host, ENSEMBLE_AUTH: "none" })).toBeUndefined();
    expect(choose({ HOST: host, ENSEMBLE_AUTH: "none", ENSEMBLE_API_KEYS: ops.entry })).toBeDefined();
  });

  const mistakes: [env: Record<string, string>, project: unknown, sentence: string][] = [
    [{ ENSEMBLE_API_KEYS: "ops:1234" }, undefined, "ENSEMBLE_API_KEYS"],
    [{ ENSEMBLE_JWT_SECRET: "short" }, undefined, "ENSEMBLE_JWT_SECRET"],
    [{ ENSEMBLE_AUTH: "some" }, undefined, "ENSEMBLE_AUTH"],
    [{ ENSEMBLE_JWT_JWKS_URL: jwksUrl, ENSEMBLE_JWT_SECRET: secret }, undefined, "not both"],
    [{ ENSEMBLE_JWT_AUDIENCE: "us" }, undefined, "need ENSEMBLE_JWT_JWKS_URL or ENSEMBLE_JWT_SECRET"],
    [
      { ENSEMBLE_API_KEYS: ops.entry },
      { "~handlerCache": { authenticate: () => "ada" } },
      "configured twice: auth.path and ENSEMBLE_API_KEYS",
    ],
    [{}, {}, "auth.ts:auth is no Auth of @langchain/langgraph-sdk/auth"],
    [{}, { "~handlerCache": {} }, "auth.ts:auth has no authenticate handler"],
  ];
  test.each(mistakes)("the start says what is wrong: %j", (env, project, sentence) => {
    expect(() => choose(env, project)).toThrow(sentence);
  });

  test("a wrong key is not repeated", () => {
    expect(() => readConfig({ ENSEMBLE_API_KEYS: "ops:canary" })).toThrow(/^(?!.*canary)/s);
  });
});
