import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, expect, onTestFinished } from "vitest";
import { launchChromium } from "./launch.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Look {
  width?: number;
  scheme?: "light" | "dark";
}

/** The looks in which every page is opened. Together they have both screen sizes and both color schemes. */
export const looks: Required<Look>[] = [
  { width: 1440, scheme: "light" },
  { width: 390, scheme: "dark" },
];

let browser: Browser | undefined;

/** A page in the browser, and the complaints of the browser about it. */
export interface Opened {
  page: Page;
  context: BrowserContext;
  /** Errors on the console, errors of scripts and violations of the Content-Security-Policy. */
  complaints: string[];
}

/**
 * Opens a page of the console. `expected` are complaints that the test provokes, such as a request that is refused. Call `expectQuiet` at
 * the end.
 */
export async function open(url: string, { width = 1440, scheme = "light" }: Look = {}): Promise<Opened> {
  browser ??= await launchChromium();
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  onTestFinished(() => context.close()); // an open page goes on asking the service
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`CSP violation: ${violatedDirective} ${blockedURI}`),
    );
  });
  await page.goto(url);
  return { page, context, complaints };
}

/** Expects that the browser has complained only about requests that the test has provoked. */
export function expectQuiet({ complaints }: Opened, provoked?: RegExp): void {
  expect(complaints.filter((text) => !provoked?.test(text))).toEqual([]);
}

/** Expects that axe finds no serious violation, and that the page is not wider than the screen. */
export async function expectAccessible({ page }: Opened): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run();
    return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html.slice(0, 200)) }));
  });
  expect(found.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/** Stores a picture of the page in the folder of ENSEMBLE_SCREENSHOTS, for a person to look at. */
export async function shoot({ page }: Opened, name: string): Promise<void> {
  const folder = process.env.ENSEMBLE_SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

afterAll(async () => {
  await browser?.close();
  browser = undefined;
});
