import { expect, test } from "vitest";
import { createKey } from "../../src/auth/keys.ts";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, open, shoot } from "./browser.ts";

const { key, entry } = createKey("ada");
const { urls } = await startTestService({ ENSEMBLE_API_KEYS: entry });
const url = urls[0] ?? "";
const off = await startTestService({ ENSEMBLE_CONSOLE: "off" });
const refused = /401 \(Unauthorized\)/;

test("a wrong key is refused with a sentence, the right one opens the page and stays in this tab only", async () => {
  const opened = await open(`${url}/console/runs?status=error`);
  const { page, context } = opened;
  await page.getByLabel("API key").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This key is not known here.").waitFor();
  await shoot(opened, "login-wrong");
  await expectAccessible(opened);
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  expect(page.url()).toContain("?status=error"); // one comes out where one went in
  await page.reload();
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  const stored = await page.evaluate(() => ({ local: localStorage.length, cookie: document.cookie }));
  expect(stored).toEqual({ local: 0, cookie: "" });
  const other = await context.newPage();
  await other.goto(`${url}/console/`);
  await other.getByRole("heading", { name: "Sign in to Ensemble" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Ensemble" }).waitFor();
  expectQuiet(opened, refused);
});

test("a key that is withdrawn leads back to the login", async () => {
  const opened = await open(`${url}/console/`);
  const { page } = opened;
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Live" }).waitFor();
  await page.evaluate(() => sessionStorage.setItem("ensemble.credential", "withdrawn"));
  await page.reload();
  await page.getByText("This key is not known here.").waitFor();
  await page.getByRole("heading", { name: "Sign in to Ensemble" }).waitFor();
  expectQuiet(opened, refused);
});

test.each(looks)("the login is accessible at $width px, $scheme", async (look) => {
  const opened = await open(`${url}/`, look);
  await opened.page.getByRole("heading", { name: "Sign in to Ensemble" }).waitFor();
  await shoot(opened, `login-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("a console that is off says how to turn it on, and / leads nowhere", async () => {
  const { page } = await open(`${off.urls[0]}/console/`);
  expect(await page.textContent("body")).toContain("ENSEMBLE_CONSOLE=on");
  await page.goto(`${off.urls[0]}/`);
  expect(new URL(page.url()).pathname).toBe("/");
});
