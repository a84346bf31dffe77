import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestService } from "../service.ts";

const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = [process.env.CHROMIUM_PATH ?? "", ...known].find((path) => existsSync(path));
const isOptional = process.env.CI !== "true";
if (!executablePath && isOptional) console.warn("No Chromium is installed: the browser's tests are skipped. Set CHROMIUM_PATH to one.");

/** Requests that a page tries to send. Each function gets the service's address, and returns what happened. */
const attempts = {
  plain: `(url) => fetch(url + "/runs", { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: run }).then(({ type }) => type, () => "failed")`,
  untyped: `(url) => fetch(url + "/runs", { method: "POST", mode: "no-cors", body: new Blob([run]) }).then(({ type }) => type, () => "failed")`,
  json: `(url) => fetch(url + "/runs", { method: "POST", headers: { "content-type": "application/json" }, body: run }).then(({ status }) => status, () => "failed")`,
  read: `(url) => fetch(url + "/info").then((response) => response.json()).then(({ context }) => context, () => "failed")`,
  socket: `(url) => new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http", "ws") + "/threads/" + crypto.randomUUID() + "/stream/events");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("failed");
  })`,
  form: `(url) => new Promise((resolve) => {
    document.body.innerHTML = '<iframe name="target"></iframe><form method="post" enctype="text/plain" target="target"><input></form>';
    const [form] = document.forms;
    form.action = url + "/runs";
    form.elements[0].name = run.slice(0, -1) + ',"metadata":{"a":"';
    form.elements[0].value = '"}}';
    document.querySelector("iframe").onload = () => resolve("sent");
    form.submit();
  })`,
};

// crypto.randomUUID exists only in secure contexts, so it is replaced. Pages do not need the real one in this test.
const setting = `
const run = JSON.stringify({ assistant_id: "steps", input: {} });
crypto.randomUUID ??= () => "00000000-0000-4000-8000-" + String(Math.random()).slice(2, 14).padEnd(12, "0");`;

const tryAs = (page: Page, name: keyof typeof attempts, url: string): Promise<unknown> =>
  page.evaluate(`(() => { ${setting} return (${attempts[name]})(${JSON.stringify(url)}); })()`);

describe.skipIf(!executablePath && isOptional)("in a real Chromium", async () => {
  const { urls, db } = await startTestService();
  const service = urls[0] ?? "";
  const { port } = new URL(service);
  const pages = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<body>A page</body>"));
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  const pagePort = (pages.address() as AddressInfo).port;
  let browser: Browser;

  beforeAll(async () => {
    if (!executablePath) throw new Error("With CI=true a Chromium must be installed (Debian's package chromium).");
    const rules = "--host-resolver-rules=MAP evil.example 127.0.0.1";
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", rules] });
  });
  afterAll(async () => {
    await browser?.close();
    pages.close();
  });

  const visit = async (url: string) => {
    const page = await browser.newPage();
    const response = await page.goto(url);
    return { page, status: response?.status() };
  };
  const runs = async () => (await db.query("select from runs")).rowCount;

  test("a foreign page starts no run, reads nothing and opens no socket", async () => {
    const { page } = await visit(`http://evil.example:${pagePort}/`);
    for (const name of ["plain", "untyped", "form"] as const) await tryAs(page, name, service); // these pages cannot read the response
    for (const name of ["json", "read", "socket"] as const) expect([name, await tryAs(page, name, service)]).toEqual([name, "failed"]);
    expect(await runs()).toBe(0);
  });

  test("a name that leads to this machine leads to a refusal", async () => {
    const { page, status } = await visit(`http://evil.example:${port}/info`);
    expect(status).toBe(403);
    expect(await page.textContent("body")).toContain("ENSEMBLE_HOSTS");
    expect(await tryAs(page, "json", "")).toBe(403);
    expect(await tryAs(page, "socket", `http://evil.example:${port}`)).toBe("failed");
    expect(await runs()).toBe(0);
  });

  test("a page of this machine or of the service itself may do everything", async () => {
    for (const url of [`http://localhost:${pagePort}/`, `${service}/docs`]) {
      const { page } = await visit(url);
      const before = (await runs()) ?? 0;
      expect(await tryAs(page, "json", service)).toBe(200);
      expect(await tryAs(page, "read", service)).toBe("js");
      expect(await tryAs(page, "socket", service)).toBe("open");
      expect(await runs()).toBe(before + 1);
    }
  });

  test("Agent Chat UI and Studio work at once", async () => {
    for (const origin of ["https://agentchat.vercel.app", "https://smith.langchain.com"]) {
      // Chromium asks a person for this permission only once
      const context = await browser.newContext({ permissions: ["local-network-access"] });
      const page = await context.newPage();
      await page.route(`${origin}/**`, (route) => route.fulfill({ contentType: "text/html", body: "<body>A page</body>" }));
      await page.goto(`${origin}/`);
      expect(await tryAs(page, "json", service)).toBe(200);
      expect(await tryAs(page, "read", service)).toBe("js");
      expect(await tryAs(page, "socket", service)).toBe("open");
    }
  });
});
