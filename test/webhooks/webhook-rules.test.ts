import { promises as dns } from "node:dns";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { resolveHeaders } from "../../src/webhooks/headers.ts";
import { lookupOutside, sendWebhook } from "../../src/webhooks/send.ts";
import { objectionTo, webhookRules } from "../../src/webhooks/webhook-rules.ts";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";

const { client, db } = await startTestService({ ENSEMBLE_ROLE: "api" });
const metadata = "http://169.254.169.254/latest/meta-data/";

test.each([
  metadata,
  metadata.replace("http:", "https:"),
  "https://127.0.0.1/hook",
  "https://127.1/hook",
  "https://2130706433/hook",
  "https://0x7f000001/hook",
  "https://0/hook",
  "https://10.0.0.8:8443/hook",
  "https://172.16.0.1/hook",
  "https://192.168.1.1/hook",
  "https://100.64.0.1/hook",
  "https://[::1]/hook",
  "https://[::]/hook",
  "https://[::ffff:169.254.169.254]/hook",
  "https://[64:ff9b::a9fe:a9fe]/hook",
  "https://[2002:a9fe:a9fe::1]/hook",
  "https://[fe80::1]/hook",
  "https://[fd00:ec2::254]/hook",
  "https://localhost/hook",
  "https://LOCALHOST./hook",
  "https://app.localhost/hook",
  "https://user@127.0.0.1/hook",
  "http://hooks.example.com/hook",
  "ftp://hooks.example.com/hook",
  "file:///etc/passwd",
  "https:hooks.example.com",
  "hooks.example.com/hook",
  "//hooks.example.com/hook",
  "/\\hooks.example.com/hook",
  "/\t/hooks.example.com/hook",
  "/../billing/charge",
  "/hook/../../billing/charge",
  "/..",
  "/.\t./billing/charge",
  "/..\\billing/charge",
  "/%2e%2E/billing/charge",
  "/..%2fbilling/charge",
  "/..%5cbilling/charge",
  "/%252e%252e%252fbilling/charge",
  "/..;/billing/charge",
  "https://hooks.example.com:99999/hook",
  `https://hooks.example.com/${"x".repeat(4_096)}`,
  "",
])("a run with the webhook %s is refused with a sentence, and not made", async (webhook) => {
  await expect(client.runs.create(null, "steps", { input: {}, webhook })).rejects.toThrow(/422.*body\.webhook: (must|leads|is longer)/s);
  expect((await db.query("select 1 from runs")).rowCount).toBe(0);
});

test("a bad webhook in a batch is named in the error, and no run of the batch is created", async () => {
  const runs = [{ assistantId: "steps" }, { assistantId: "steps", webhook: metadata }].map((run) => ({ ...run, input: {} }));
  await expect(client.runs.createBatch(runs)).rejects.toThrow("body[1].webhook: must be https");
  expect((await db.query("select 1 from runs")).rowCount).toBe(0);
});

const domains = { allowed_domains: ["hooks.example.com", "*.corp.example"] };
test.each([
  [{}, "https://hooks.example.com/a", true],
  [{}, "https://93.184.216.34:8443/a", true],
  [{}, "/custom/hook", true],
  [{}, "/custom/../hook?back=/../..", true],
  [{}, "/..hidden/100%/%2e/hook", true],
  [{ disable_loopback: true }, "/custom/hook", false],
  [{ require_https: false }, "http://hooks.example.com/a", true],
  [{ require_https: false }, metadata, false],
  [domains, "https://HOOKS.example.com./a", true],
  [domains, "https://a.b.corp.example/a", true],
  [domains, "https://corp.example/a", false],
  [domains, "https://evilcorp.example/a", false],
  [domains, "https://hooks.example.com.evil.test/a", false],
  [{ allowed_ports: [443, 8443] }, "https://hooks.example.com/a", true],
  [{ allowed_ports: [443, 8443] }, "https://hooks.example.com:8444/a", false],
  [{ max_url_length: 20 }, "https://example.com/a-long-path", false],
])("with the rules %j, %s is allowed: %s", (options, url, allowed) => {
  expect(objectionTo(url, webhookRules(options)) === undefined).toBe(allowed);
});

test.each([
  ["receiver", "http://receiver/a", true],
  ["receiver:3000", "http://receiver:3000/a", true],
  ["receiver:3000", "http://receiver:3001/a", false],
  ["*.svc.internal", "http://a.svc.internal/a", true],
  ["127.0.0.1", "http://127.0.0.1:8080/a", true],
  ["[::1]:8080", "http://[::1]:8080/a", true],
  ["127.0.0.1", "http://127.0.0.2:8080/a", false],
])("with %s allowed inside, %s is allowed: %s", (host, url, allowed) => {
  expect(objectionTo(url, webhookRules({}, [host])) === undefined).toBe(allowed);
});

const send = (receiver: string, ...addresses: string[]) => {
  const resolver = Object.assign(new dns.Resolver(), {
    resolve4: async () => addresses.filter((address) => !address.includes(":")),
    resolve6: async () => addresses.filter((address) => address.includes(":")),
  });
  const signal = AbortSignal.timeout(60_000);
  return sendWebhook(receiver, { headers: {}, body: "{}" }, { rules: webhookRules(), ownUrl: undefined, signal, resolver });
};

test.each([["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::1"], ["::ffff:10.0.0.1"], ["fe80::1"]])(
  "a public name that leads to %s is not called",
  async (...addresses) => {
    expect(await send("https://hooks.example.com/a", ...addresses)).toEqual({
      reason: expect.stringContaining("leads to hooks.example.com, which is inside"),
      hopeless: true,
    });
  },
);

test("the connection is made to the addresses that were looked at", () => {
  const lookup = lookupOutside({ resolve4: async () => ["93.184.216.34"], resolve6: async () => Promise.reject(new Error("none")) });
  const ask = (all: boolean) =>
    new Promise((resolve) => lookup("hooks.example.com", { all }, (error, address, family) => resolve({ error, address, family })));
  return Promise.all([
    expect(ask(true)).resolves.toEqual({ error: null, address: [{ address: "93.184.216.34", family: 4 }], family: undefined }),
    expect(ask(false)).resolves.toEqual({ error: null, address: "93.184.216.34", family: 4 }),
  ]);
});

test("a host without an address and a path without a known app are tried again later", async () => {
  expect(await send("https://hooks.example.com/a")).toEqual({ reason: "No address was found for hooks.example.com.", hopeless: false });
  expect(await send("/hook")).toEqual({ reason: expect.stringContaining("ENSEMBLE_URL is not set"), hopeless: false });
});

test("a process without an app sends a path webhook to ENSEMBLE_URL, and only below its path", async () => {
  const { url, received } = await startReceiver();
  const options = { rules: webhookRules(), signal: AbortSignal.timeout(60_000) };
  const message = { headers: {}, body: "{}" };
  expect(await sendWebhook("/hook?a=b", message, { ...options, ownUrl: url })).toBeUndefined();
  expect(await sendWebhook("/hook?a=b", message, { ...options, ownUrl: `${url}/prefix/` })).toBeUndefined();
  expect(await sendWebhook(`${url}/hook`, message, { ...options, ownUrl: url })).toMatchObject({ hopeless: true });
  expect(await sendWebhook("/../billing/charge", message, { ...options, ownUrl: `${url}/prefix` })).toMatchObject({ hopeless: true });
  expect(received.map(({ path }) => path)).toEqual(["/hook?a=b", "/prefix/hook?a=b"]);
});

test("headers take variables with the prefix only, and what cannot be sent stops the start", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how the file writes them
  const variables: Record<string, string> = { LG_WEBHOOK_A: "a", LG_WEBHOOK_B: "b", HOOK_C: "c", DATABASE_URL: "secret" };
  const resolved = (headers: Record<string, string>, env_prefix?: string) =>
    resolveHeaders({ headers, env_prefix }, (name) => variables[name]);
  expect(resolved({ "x-one": "${{ env.LG_WEBHOOK_A }}-${{env.LG_WEBHOOK_B}}!" })).toEqual({ "x-one": "a-b!" });
  expect(resolved({ "x-two": "${{ env.HOOK_C }}" }, "HOOK_")).toEqual({ "x-two": "c" });
  expect(() => resolved({ "x-three": "${{ env.DATABASE_URL }}" })).toThrow("DATABASE_URL does not begin with LG_WEBHOOK_");
  expect(() => resolved({ "x-four": "${{ env.LG_WEBHOOK_Z }}" })).toThrow("LG_WEBHOOK_Z is not set");
  expect(() => resolved({ "x-five": "a\r\nb: c" })).toThrow("x-five");
  expect(() => resolved({ "Webhook-Id": "mine" })).toThrow("set by the delivery itself");
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: up to here
});

test("hosts that are no hosts stop the start", () => {
  const hosts = "receiver:3000, *.svc.internal [::1]:8080 127.0.0.1";
  expect(readConfig({ ENSEMBLE_WEBHOOK_INSIDE_HOSTS: hosts }).webhookInsideHosts).toHaveLength(4);
  expect(() => readConfig({ ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "http://receiver/" })).toThrow("must be host names");
});

test("a secret that is none stops the start, and is not repeated in the sentence", () => {
  const one = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
  expect(readConfig({ ENSEMBLE_WEBHOOK_SECRET: `${one} ${one}` }).webhookSecrets).toHaveLength(2);
  for (const wrong of ["hunter2", "whsec_aHVudGVyMg==", `${one},hunter2`]) {
    expect(() => readConfig({ ENSEMBLE_WEBHOOK_SECRET: wrong })).toThrow(/^ENSEMBLE_WEBHOOK_SECRET \((?!.*hunter2)/);
  }
});
