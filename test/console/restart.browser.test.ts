import { expect, onTestFinished, test } from "vitest";
import { createDatabase } from "../database.ts";
import { startProcess } from "../service.ts";
import { expectQuiet, open, shoot } from "./browser.ts";

test("while the service restarts a banner says so, and the page recovers by itself", async () => {
  const project = new URL("../graphs/langgraph.json", import.meta.url).pathname;
  const env = { ENSEMBLE_CONFIG: project, DATABASE_URL: await createDatabase(), LOG_LEVEL: "silent", WORKER_DRAIN_TIMEOUT: "0.2" };
  const first = await startProcess({ ...env, PORT: "0" });
  onTestFinished(async () => void (await first.stop()));
  const opened = await open(`${first.url}/console/runs?status=error`);
  const { page } = opened;
  await page.getByRole("heading", { name: "No run matches" }).waitFor();
  await first.stop();
  await page.getByText("The service does not answer. Trying again …").waitFor();
  await shoot(opened, "restart-banner");
  await page.getByRole("link", { name: "Live" }).click(); // the navigation works meanwhile
  const second = await startProcess({ ...env, PORT: new URL(first.url ?? "").port });
  onTestFinished(async () => void (await second.stop()));
  await page.getByText("The service does not answer. Trying again …").waitFor({ state: "detached" });
  await page.getByRole("table", { name: "Workers" }).waitFor();
  expectQuiet(opened, /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/);
  expect(page.url()).toBe(`${first.url}/console/`);
  await opened.context.close();
});
