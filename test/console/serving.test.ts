import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import Fastify from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { describe, expect, onTestFinished, test } from "vitest";
import { isLoopback } from "../../src/auth/choose-auth.ts";
import { type ConsoleMode, consoleRoutes } from "../../src/http/routes/console.ts";
import { consoleMode } from "../../src/startup/start-api.ts";

const page =
  '<meta name="ensemble-prefix" content="%PREFIX%"><meta property="csp-nonce" nonce="%NONCE%"><script src="./assets/a-1.js"></script>';

interface Options {
  mode?: ConsoleMode;
  isBuilt?: boolean;
  mountedAt?: string;
}

/** Serves a console that was built, or one that was not. */
async function serve({ mode = "on", isBuilt = true, mountedAt = "" }: Options = {}) {
  const folder = await mkdtemp(join(tmpdir(), "ensemble-console-"));
  if (isBuilt) {
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), page);
    await writeFile(join(folder, "secret.txt"), "not an asset");
    await writeFile(join(folder, "assets/a-1.js"), "script");
    await writeFile(join(folder, "assets/a-1.js.gz"), gzipSync("script"));
  }
  const app = Fastify();
  app.setSerializerCompiler(serializerCompiler);
  await app.register(consoleRoutes, { mode, folder, auth: undefined, version: "1.2.3", mountedAt });
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  return (path: string, headers: Record<string, string> = {}) => app.inject({ url: path, headers });
}

const html = { accept: "text/html,application/xhtml+xml" };

test.each(["/console", "/console/", "/console/runs", "/console/threads/x/runs/y.z"])(
  "%s is the page, with a nonce of its own",
  async (path) => {
    const get = await serve();
    const [one, other] = [await get(path), await get(path)];
    expect(one.statusCode).toBe(200);
    expect(one.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(one.headers["cache-control"]).toBe("no-store");
    const nonceOf = (body: string) => /nonce="([^"]+)"/.exec(body)?.[1];
    expect(one.headers["content-security-policy"]).toContain(`style-src 'self' 'nonce-${nonceOf(one.body)}'`);
    expect(nonceOf(one.body)).not.toBe(nonceOf(other.body));
    expect(one.body).toContain('src="/console/assets/a-1.js"');
  },
);

test("everything under /console carries headers that keep foreign scripts, frames and hosts out", async () => {
  const get = await serve();
  for (const path of ["/console", "/console/assets/a-1.js", "/console/assets/none.js", "/console/config.json"]) {
    const { headers } = await get(path);
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    const policy = String(headers["content-security-policy"]);
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ])
      expect(policy.split("; ")).toContain(directive);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  }
});

test("scripts are kept for ever and sent compressed, and nothing else of the folder is served", async () => {
  const get = await serve();
  const script = await get("/console/assets/a-1.js");
  expect([script.body, script.headers["cache-control"]]).toEqual(["script", "public, max-age=31536000, immutable"]);
  expect((await get("/console/assets/a-1.js", { "accept-encoding": "gzip" })).headers["content-encoding"]).toBe("gzip");
  const missing = await get("/console/assets/none.js");
  expect([missing.statusCode, missing.headers["cache-control"]]).toEqual([404, "no-store"]);
  for (const path of ["/console/secret.txt", "/console/assets/..%2fsecret.txt", "/console/assets/%2e%2e%2fsecret.txt"])
    expect((await get(path)).body).not.toContain("not an asset");
});

test("a browser that opens / comes to the console, other clients do not", async () => {
  const get = await serve({ mountedAt: "/api" });
  const { statusCode, headers } = await get("/", html);
  expect([statusCode, headers.location]).toEqual([302, "/api/console/"]);
  expect((await get("/", { accept: "application/json" })).statusCode).toBe(404);
  expect((await get("/")).statusCode).toBe(404);
});

test("below a prefix the page names its files and the API with it", async () => {
  const get = await serve({ mountedAt: "/api" });
  const { body } = await get("/console/runs");
  expect(body).toContain('src="/api/console/assets/a-1.js"');
  expect(body).toContain('content="/api"');
  expect((await get("/console/config.json")).json()).toEqual({ version: "1.2.3", mode: "on", auth: [], prefix: "/api" });
});

test("a console that is not built says how to build it, and / leads nowhere", async () => {
  const get = await serve({ isBuilt: false });
  const { statusCode, body } = await get("/console/runs");
  expect(statusCode).toBe(503);
  expect(body).toContain("npm run build:console");
  expect((await get("/", html)).statusCode).toBe(404);
});

test("a console that is off says so, and serves nothing", async () => {
  const get = await serve({ mode: "off" });
  for (const path of ["/console", "/console/runs", "/console/assets/a-1.js", "/console/config.json"]) {
    const { statusCode, body } = await get(path);
    expect([statusCode, body]).toEqual([404, expect.stringContaining("ENSEMBLE_CONSOLE=on")]);
  }
  expect((await get("/", html)).statusCode).toBe(404);
});

test("read-only mode is in the settings that the page reads", async () => {
  const get = await serve({ mode: "read-only" });
  expect((await get("/console/config.json")).json()).toMatchObject({ mode: "read-only" });
});

describe("without ENSEMBLE_CONSOLE", () => {
  test.each([
    ["127.0.0.1", false, "on"],
    ["localhost", false, "on"],
    ["0.0.0.0", false, "off"],
    ["0.0.0.0", true, "on"],
    ["10.1.2.3", false, "off"],
  ] as const)("on %s, with auth: %s, the console is %s", (host, hasAuth, mode) => {
    const isReachable = !isLoopback(host);
    expect(consoleMode({ consoleMode: undefined }, { hasAuth, isReachable, hidesMeta: false })).toBe(mode);
    expect(consoleMode({ consoleMode: undefined }, { hasAuth, isReachable, hidesMeta: true })).toBe("off");
    expect(consoleMode({ consoleMode: "read-only" }, { hasAuth, isReachable, hidesMeta: true })).toBe("read-only");
    expect(isLoopback(host)).toBe(host === "127.0.0.1" || host === "localhost");
  });
});
