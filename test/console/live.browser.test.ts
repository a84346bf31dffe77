import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { expectAccessible, expectQuiet, looks, open, shoot } from "./browser.ts";
import { storeEnded } from "./seed.ts";

const service = await startTestService({ N_JOBS_PER_WORKER: "4" });
const { client, fetch } = service;
const url = service.urls[0] ?? "";
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const api = await startTestService({ ENSEMBLE_ROLE: "api" });

const isHalted = async () => ((await (await fetch("/info")).json()) as { halted: boolean }).halted;

test("the numbers of the moment and the last hour are there", async () => {
  await storeEnded(service, 120);
  const { thread_id: threadId } = await client.threads.create();
  const endless = { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } };
  const { run_id: runId } = await client.runs.create(threadId, "slow", endless);
  await eventually(async () => (await client.runs.get(threadId, runId)).status).toBe("running");
  const opened = await open(`${url}/`);
  const { page } = opened;
  await page.getByRole("link", { name: "show running" }).getByText("1", { exact: true }).waitFor();
  await page.getByRole("link", { name: "show failures" }).getByText("40").waitFor();
  expect(await page.getByRole("img", { name: /^Runs per minute/ }).getAttribute("aria-label")).toMatch(
    /121 created, 60 succeeded, 40 failed/,
  );
  await page.getByRole("table", { name: "Workers" }).getByText("1 of 4").waitFor();
  await client.runs.cancel(threadId, runId, true);
  await page.getByRole("table", { name: "Workers" }).getByText("0 of 4").waitFor(); // without a reload
  await page.getByRole("link", { name: "show failures" }).click();
  expect(page.url()).toContain("/console/runs?status=error,timeout&since=1h");
  expectQuiet(opened);
});

test("work is halted and resumed after a confirmation", async () => {
  const opened = await open(`${url}/console/`);
  const { page } = opened;
  await page.getByRole("button", { name: "Halt work" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  expect(await isHalted()).toBe(false);
  await page.getByRole("button", { name: "Halt work" }).click();
  await shoot(opened, "live-halt");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Halt work" }).click();
  await page.getByText("Work is halted. No run is claimed.").waitFor();
  expect(await isHalted()).toBe(true);
  await shoot(opened, "live-halted");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Resume work" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume work" }).click();
  await page.getByText("Work continues.").waitFor();
  expect(await isHalted()).toBe(false);
  expectQuiet(opened);
});

test("a dialog closes with Escape and gives the focus back", async () => {
  const { page } = await open(`${url}/console/`);
  await page.getByRole("button", { name: "Halt work" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Halt work");
});

test("in read-only mode there is nothing to halt", async () => {
  const opened = await open(`${readOnly.urls[0]}/console/`);
  await opened.page.getByText("Read only").waitFor();
  await opened.page.getByRole("table", { name: "Workers" }).waitFor();
  expect(await opened.page.getByRole("button", { name: "Halt work" }).count()).toBe(0);
  expectQuiet(opened);
});

test("without a worker the page says how to start one", async () => {
  await api.client.runs.create(null, "steps", { input: {} });
  const opened = await open(`${api.urls[0]}/console/`);
  await opened.page.getByRole("heading", { name: "No worker is running" }).waitFor();
  await opened.page.getByText("each worker counts its own").waitFor();
  await shoot(opened, "live-no-worker");
  expectQuiet(opened);
});

test.each(looks)("the live page is accessible at $width px, $scheme", async (look) => {
  const opened = await open(`${url}/console/`, look);
  await opened.page.getByRole("table", { name: "Workers" }).waitFor();
  await opened.page.locator("canvas").waitFor();
  await shoot(opened, `live-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
