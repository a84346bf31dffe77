import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { allowedOrigins } from "../../src/http/front/cors.ts";
import { type Arrival, createGate, type GateRules, refuseForeignPage } from "../../src/http/front/gate.ts";
import type { CorsOptions } from "../../src/registry/http-options.ts";

const plain: Arrival = {
  method: "POST",
  path: "/runs",
  host: "127.0.0.1:2024",
  origin: undefined,
  site: undefined,
  mode: undefined,
  dest: undefined,
  hasCookie: false,
  isSocket: false,
};

function passes(arrival: Partial<Arrival>, { cors = {}, proof = "none", hosts = [] }: Partial<GateRules> & { cors?: CorsOptions } = {}) {
  const origins = allowedOrigins(cors, proof !== "none");
  return refuseForeignPage({ ...plain, ...arrival }, { proof, hosts, origins }) === undefined;
}

const evil = "https://evil.example";
const app = "https://app.test";
const named: CorsOptions = { allow_origins: [app], allow_origin_regex: "^https://[a-z]+\\.app\\.test$" };

describe("without auth", () => {
  test.each([
    ["localhost:2024", true],
    ["LOCALHOST", true],
    ["localhost.", true],
    ["a.localhost:80", true],
    ["127.0.0.1", true],
    ["[::1]:2024", true],
    ["192.168.1.5:2024", true],
    ["[fe80::1]", true],
    [undefined, true],
    ["evil.example", false],
    ["evil.example:2024", false],
    ["localhost.evil.example", false],
    ["127.0.0.1.evil.example", false],
    ["evillocalhost", false],
    ["api", false],
    ["", false],
    ["a b", false],
    ["localhost:2024:2024", false],
    ["localhost@evil.example", false],
  ])("the Host %s passes: %s", (host, may) => expect(passes({ host })).toBe(may));

  test.each([
    ["api", ["api"], true],
    ["API:2024", ["api"], true],
    ["api:2024", ["api:2024"], true],
    ["api:2025", ["api:2024"], false],
    ["api", ["api:2024"], false],
    ["one.inside.test", ["*.inside.test"], true],
    ["inside.test", ["*.inside.test"], false],
    ["evil-inside.test", ["*.inside.test"], false],
    ["anything.test", ["*"], true],
  ])("the Host %s passes where ENSEMBLE_HOSTS is %s: %s", (host, hosts, may) => expect(passes({ host }, { hosts })).toBe(may));

  test.each([
    ["http://localhost:5173", {}, true],
    ["https://127.0.0.1", {}, true],
    ["http://127.8.9.1:80", {}, true],
    ["http://[::1]:3000", {}, true],
    ["http://a.localhost:3000", {}, true],
    ["http://127.0.0.1:2024", {}, true],
    ["https://agentchat.vercel.app", {}, true],
    ["https://smith.langchain.com", {}, true],
    ["https://eu.smith.langchain.com", {}, true],
    [evil, {}, false],
    ["null", {}, false],
    ["", {}, false],
    ["file://", {}, false],
    ["chrome-extension://abc", {}, false],
    ["http://localhost.evil.example", {}, false],
    ["http://127.0.0.1.evil.example", {}, false],
    ["http://localhost:3000@evil.example", {}, false],
    ["http://192.168.1.9", {}, false],
    ["https://smith.langchain.com.evil.example", {}, false],
    ["http://smith.langchain.com", {}, false],
    [app, named, true],
    ["https://one.app.test", named, true],
    ["https://app.test.elsewhere", named, false],
    ["https://smith.langchain.com", named, false],
    ["http://localhost:5173", named, true],
    ["https://agentchat.vercel.app", { allow_origins: [] }, false],
    ["http://localhost:5173", { allow_origins: [] }, true],
    [evil, { allow_origins: ["*"] }, true],
    ["null", { allow_origins: ["*"] }, true],
  ] as [string, CorsOptions, boolean][])("the Origin %s passes with http.cors %j: %s, as request and as socket", (origin, cors, may) => {
    expect(passes({ origin }, { cors })).toBe(may);
    expect(passes({ origin, isSocket: true, method: "GET" }, { cors })).toBe(may);
    // the cookie may come from another service, because all ports of a machine share cookies
    expect(passes({ origin, hasCookie: true }, { cors })).toBe(may);
  });

  test("a page has the service's own origin under an IP address or a configured host name", () => {
    expect(passes({ host: "192.168.1.5:2024", origin: "http://192.168.1.5:2024" })).toBe(true);
    expect(passes({ host: "api.test", origin: "https://api.test" }, { hosts: ["api.test"] })).toBe(true);
    expect(passes({ host: "api.test", origin: "https://api.test" })).toBe(false);
    expect(passes({ host: "192.168.1.5:2024", origin: "http://192.168.1.5:8080" })).toBe(false);
  });

  const link = { method: "GET", site: "cross-site", mode: "navigate", dest: "document" };
  test.each([
    ["Node's fetch", { mode: "cors" }, true],
    ["an image", { method: "GET", site: "cross-site", mode: "no-cors", dest: "image" }, false],
    ["a frame", { ...link, dest: "iframe" }, false],
    ["a link", link, true],
    ["a form without an origin", { ...link, method: "POST" }, false],
    ["a page of ours", { site: "same-origin", mode: "cors", dest: "empty" }, true],
    ["a page of the same site", { site: "same-site", mode: "no-cors" }, true],
    ["the address bar", { ...link, site: "none" }, true],
    ["Studio, which sends its Origin", { site: "cross-site", mode: "cors", origin: "https://smith.langchain.com" }, true],
  ])("without an Origin, %s passes or not", (_who, arrival, may) => expect(passes(arrival)).toBe(may));

  test("only GET requests to /ok and /metrics pass without a check", () => {
    const foreign = { host: "evil.example", origin: evil, site: "cross-site" };
    for (const path of ["/ok", "/metrics"]) {
      expect(passes({ ...foreign, path, method: "GET" })).toBe(true);
      expect(passes({ ...foreign, path, method: "POST" })).toBe(false);
    }
    for (const path of ["/okay", "/ok/", "//ok", "/metrics/x", "/OK"]) expect(passes({ ...foreign, path, method: "GET" })).toBe(false);
  });

  test("a page of any site may load a UI bundle as a script, but not under an unknown host name", () => {
    const rules: GateRules = { proof: "none", hosts: [], origins: allowedOrigins({}, false) };
    const script = { ...plain, method: "GET", site: "cross-site", mode: "no-cors", dest: "script" };
    expect(refuseForeignPage(script, rules, true)).toBeUndefined();
    expect(refuseForeignPage({ ...script, host: "evil.example" }, rules, true)).toContain("ENSEMBLE_HOSTS");
  });
});

describe("with auth", () => {
  const foreign = { origin: evil, host: "api.deployed.test" };
  test.each([
    ["headers", {}, foreign, true],
    ["headers", named, foreign, true], // the response has no CORS headers
    ["headers", named, { ...foreign, isSocket: true }, false],
    ["headers", {}, { ...foreign, isSocket: true }, true],
    ["headers", {}, { ...foreign, hasCookie: true }, true],
    ["headers", { allow_origins: [] }, { ...foreign, isSocket: true }, false],
    ["custom", {}, foreign, true],
    ["custom", {}, { ...foreign, isSocket: true }, true],
    ["custom", {}, { ...foreign, hasCookie: true }, false],
    ["custom", { allow_origins: ["*"] }, { ...foreign, hasCookie: true, isSocket: true }, false],
    ["custom", {}, { ...foreign, origin: "http://localhost:3000", hasCookie: true }, false],
    ["custom", named, { ...foreign, origin: app, hasCookie: true }, true],
    ["custom", named, { ...foreign, origin: "null", isSocket: true }, false],
    ["custom", {}, { ...foreign, origin: "https://api.deployed.test", hasCookie: true, isSocket: true }, true],
    ["custom", {}, { ...plain, method: "GET", site: "cross-site", mode: "no-cors", hasCookie: true }, false],
    ["custom", {}, { ...plain, method: "GET", site: "cross-site", mode: "no-cors" }, true],
    ["headers", {}, { ...plain, method: "GET", site: "cross-site", mode: "no-cors", hasCookie: true }, true],
  ] as [GateRules["proof"], CorsOptions, Partial<Arrival>, boolean][])(
    "whose proof is %s, with http.cors %j, %j passes: %s",
    (proof, cors, arrival, may) => {
      expect(passes(arrival, { proof, cors })).toBe(may);
    },
  );
});

test("ENSEMBLE_HOSTS takes names and no addresses of pages", () => {
  expect(readConfig({ ENSEMBLE_HOSTS: "api, *.inside.test api:2024 *" }).hosts).toEqual(["api", "*.inside.test", "api:2024", "*"]);
  expect(() => readConfig({ ENSEMBLE_HOSTS: "http://api" })).toThrow("ENSEMBLE_HOSTS");
});

test.each([
  ["127.0.0.1", true],
  ["::ffff:127.0.0.1", true],
  ["::1", true],
  [undefined, true], // a Unix socket
  ["10.0.0.7", false],
  ["::ffff:10.0.0.7", false],
  ["fe80::1", false],
])("a mounted service without auth accepts a connection to %s: %s", (localAddress, may) => {
  const socket = Object.defineProperty(new Socket(), "localAddress", { value: localAddress });
  const incoming = { method: "GET", url: "/info", headers: { host: "10.0.0.7:3000" }, socket } as unknown as IncomingMessage;
  const rules = { proof: "none" as const, hosts: [], origins: allowedOrigins({}, false) };
  expect(createGate({ ...rules, onlyLocal: true }, () => false)(incoming) === undefined).toBe(may);
  expect(createGate({ ...rules, onlyLocal: false }, () => false)(incoming)).toBeUndefined();
});
