import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import pg from "pg";
import { pino } from "pino";
import type { Browser, Page } from "playwright-core";
import { readConfig } from "../../src/config.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { startService } from "../../src/main.ts";
import { launchChromium } from "./launch.ts";
import { fillInbox, fillStore, runPatterns, storePastHour } from "./scenes.ts";

/**
 * Takes the pictures of the console in README and docs anew. Starts a service with the shipped graphs on a new database, fills it with real
 * runs of the rehearsal model, and opens each page.
 */

const target = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const width = 1280;

interface Picture {
  name: string;
  path: string;
  scheme?: "light" | "dark";
  height?: number;
  width?: number;
  /** Brings the page into the state to show. */
  show(page: Page): Promise<unknown>;
}

/** Returns every picture of the docs. */
function pictures({ run, thread }: Awaited<ReturnType<typeof runPatterns>>): Picture[] {
  return [
    { name: "console-live", path: "/", show: (page) => page.getByRole("table", { name: "Workers" }).waitFor() },
    { name: "console-live-dark", path: "/", scheme: "dark", show: (page) => page.getByRole("table", { name: "Workers" }).waitFor() },
    { name: "console-runs", path: "/runs", show: (page) => page.getByRole("row").getByText("supervisor").waitFor() },
    {
      name: "console-run",
      path: `/threads/${run.threadId}/runs/${run.runId}`,
      height: 1000,
      show: async (page) => {
        await page.getByText("Succeeded", { exact: true }).first().waitFor();
        await page.locator(".react-flow__node").first().waitFor();
      },
    },
    { name: "console-thread", path: `/threads/${thread}`, show: (page) => page.getByRole("article").first().waitFor() },
    {
      name: "console-inbox",
      path: "/inbox",
      show: (page) =>
        page
          .getByRole("button", { name: /^Approve/ })
          .first()
          .waitFor(),
    },
    { name: "console-playground", path: "/playground?graph=scenario", height: 1000, show: playScenario },
    { name: "console-store", path: "/store", show: (page) => page.getByText("customers").first().waitFor() },
    { name: "console-narrow", path: "/", width: 390, height: 844, show: (page) => page.getByText("Oldest wait").waitFor() },
  ];
}

async function playScenario(page: Page): Promise<void> {
  await page.getByRole("form", { name: "Run" }).getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("region", { name: "Run", exact: true }).getByText("Succeeded", { exact: true }).waitFor();
}

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: picture.width ?? width, height: picture.height ?? 800 },
    colorScheme: picture.scheme ?? "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${url}/console${picture.path}`);
  await picture.show(page);
  await page.waitForLoadState("networkidle", { timeout: 5_000 }).catch(() => {}); // pages that follow a stream are never idle
  await page.screenshot({ path: join(target, `${picture.name}.png`) });
  await context.close();
  console.log(`docs/images/${picture.name}.png`);
}

const home = mkdtempSync(join(tmpdir(), "ensemble-pictures-"));
chmodSync(home, 0o755); // as root, Postgres runs as another user
mkdirSync(target, { recursive: true });
const postgres = await startEmbeddedPostgres(join(home, "data"));
// The rehearsal model answers, so that no key is spent.
const settings = { ENSEMBLE_CONFIG: "langgraph.json", DATABASE_URL: postgres.url, PORT: "0", LOG_LEVEL: "silent" };
const service = await startService(readConfig(settings), pino({ level: "silent" }));
const browser = await launchChromium();
try {
  const url = service.url ?? "";
  const client = new Client({ apiUrl: url, apiKey: null });
  const db = new pg.Pool({ connectionString: postgres.url, max: 1 });
  await storePastHour(db);
  await db.end();
  const made = await runPatterns(client);
  await fillInbox(client);
  await fillStore(client);
  for (const picture of pictures(made)) await take(browser, url, picture);
} finally {
  await browser.close();
  await service.stop();
  await postgres.stop();
  rmSync(home, { recursive: true, force: true });
}
