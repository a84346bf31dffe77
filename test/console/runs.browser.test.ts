import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";
import { storeEnded } from "./seed.ts";

const service = await startTestService();
const { client, db } = service;
const url = service.urls[0] ?? "";
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const many = await startTestService();
await storeEnded(many, 10_000);

const endless = { input: { until: 100_000, tickMs: 20 }, config: { recursion_limit: 200_000 } };

async function running(metadata: Record<string, unknown>) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "slow", { ...endless, metadata });
  await eventually(async () => (await client.runs.get(threadId, runId)).status).toBe("running");
  return { threadId, runId, status: async () => (await client.runs.get(threadId, runId)).status };
}

/** Runs a graph on a thread that stays. */
async function kept({ client: caller }: Pick<typeof service, "client">, graph: string, metadata: Record<string, unknown> = {}) {
  const { thread_id: threadId } = await caller.threads.create();
  const { run_id: runId } = await caller.runs.create(threadId, graph, { input: {}, metadata });
  await caller.runs.join(threadId, runId);
}

const rows = ({ page }: Opened) => page.getByRole("row").filter({ has: page.getByRole("checkbox", { name: /^Choose run/ }) });
const openRuns = (query: string) => open(`${url}/console/runs${query}`);
const choose = async (opened: Opened, amount: number) => {
  await expect.poll(() => rows(opened).count()).toBe(amount);
  for (let index = 0; index < amount; index++) await rows(opened).nth(index).getByRole("checkbox").check();
};

test("without runs the page says how to start the first one", async () => {
  const opened = await open(`${readOnly.urls[0]}/console/runs`);
  await opened.page.getByRole("heading", { name: "There are no runs yet" }).waitFor();
  await opened.page.getByText("npx ensemble run").waitFor();
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("runs are listed with what one looks for, and appear without a reload", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const opened = await openRuns("?metadata=topic%3Dlisted");
  await opened.page.getByRole("heading", { name: "No run matches" }).waitFor();
  const { run_id: runId } = await client.runs.create(threadId, "fails", { input: {}, metadata: { topic: "listed" } });
  const row = opened.page.getByRole("row").filter({ hasText: runId.slice(-8) });
  await row.getByText("Failed", { exact: true }).waitFor();
  await row.getByText("fails", { exact: true }).waitFor();
  const link = await row.getByRole("link", { name: runId.slice(-8) }).getAttribute("href");
  expect(link).toBe(`/console/threads/${threadId}/runs/${runId}`);
  expect(await row.getByRole("cell").last().textContent()).toMatch(/Error: \S+/);
  expectQuiet(opened);
});

test("the filters are in the URL, take effect, and come back with the back button", async () => {
  await kept(service, "steps", { topic: "filtered", number: 3 });
  await kept(service, "fails", { topic: "filtered", number: 4 });
  const opened = await openRuns("");
  const { page } = opened;
  await page.getByRole("searchbox", { name: "Metadata" }).fill("topic=filtered");
  await expect.poll(() => rows(opened).count()).toBe(2);
  await page.getByRole("button", { name: "Failed" }).click();
  await expect.poll(() => rows(opened).count()).toBe(1);
  expect(new URL(page.url()).searchParams.get("status")).toBe("error");
  await page.reload();
  await expect.poll(() => rows(opened).count()).toBe(1);
  expect(await page.getByRole("button", { name: "Failed" }).getAttribute("aria-pressed")).toBe("true");
  await page.getByRole("button", { name: "Failed" }).click();
  await page.getByLabel("Graph").selectOption("steps");
  await expect.poll(() => rows(opened).count()).toBe(1);
  await page.getByRole("searchbox", { name: "Metadata" }).fill('{"number": 4}');
  await page.getByRole("heading", { name: "No run matches" }).waitFor();
  await page.getByLabel("Graph").selectOption("");
  await expect.poll(() => rows(opened).count()).toBe(1);
  await page.getByRole("searchbox", { name: "Metadata" }).fill("{");
  await page.getByText("This is not a JSON object yet.").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).click();
  expect(new URL(page.url()).search).toBe("");
  await page.getByRole("searchbox", { name: "Error contains" }).fill("no such error");
  await page.getByRole("heading", { name: "No run matches" }).waitFor();
  expectQuiet(opened);
});

test("chosen runs are cancelled, after a confirmation", async () => {
  const [one, other] = [await running({ topic: "cancelled" }), await running({ topic: "cancelled" })];
  const opened = await openRuns("?metadata=topic%3Dcancelled");
  const { page } = opened;
  await choose(opened, 2);
  await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Cancel" }).click();
  await shoot(opened, "runs-cancel");
  await expectAccessible(opened);
  expect([await one.status(), await other.status()]).toEqual(["running", "running"]);
  await page.getByRole("button", { name: "Cancel runs" }).click();
  await page.getByText("2 runs were cancelled.").waitFor();
  await eventually(one.status).toBe("interrupted");
  await eventually(other.status).toBe("interrupted");
  await expect.poll(() => page.getByRole("cell", { name: "Interrupted", exact: true }).count()).toBe(2);
  expect(await page.getByRole("region", { name: "Selection" }).count()).toBe(0);
  expectQuiet(opened);
});

test.each([
  ["On the same thread", 1],
  ["On a new thread", 2],
] as const)("chosen runs are retried: %s", async (place, threads) => {
  const metadata = { topic: `retried ${threads}` };
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {}, metadata, config: { configurable: { mine: "kept" } } });
  const opened = await openRuns(`?metadata=${encodeURIComponent(JSON.stringify(metadata))}`);
  const { page } = opened;
  await choose(opened, 1);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByLabel(place).check();
  await shoot(opened, "runs-retry");
  await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
  await page.getByText("1 run was retried.").waitFor();
  await expect.poll(() => rows(opened).count()).toBe(2);
  const { rows: stored } = await db.query("select thread_id, kwargs, metadata from runs where metadata ->> 'topic' = $1 order by seq", [
    metadata.topic,
  ]);
  expect(new Set(stored.map(({ thread_id }) => thread_id)).size).toBe(threads);
  const [old, repeated] = stored;
  expect({ ...repeated.kwargs, config: null }).toEqual({ ...old.kwargs, config: null });
  expect(repeated.kwargs.config.configurable).toMatchObject({ mine: "kept", thread_id: repeated.thread_id });
  expect(repeated.metadata).toEqual(old.metadata);
  expectQuiet(opened);
});

test("chosen runs are deleted, and what failed is reported with its reason", async () => {
  const { thread_id: threadId } = await client.threads.create();
  for (let index = 0; index < 3; index++) await client.runs.wait(threadId, "steps", { input: {}, metadata: { topic: "deleted" } });
  const opened = await openRuns("?metadata=topic%3Ddeleted");
  const { page } = opened;
  await choose(opened, 3);
  const [first] = await client.runs.list(threadId);
  await page.getByRole("button", { name: "Delete" }).click();
  await client.runs.delete(threadId, first?.run_id ?? ""); // somebody else is quicker
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "1 run was not deleted, 2 were" }).waitFor();
  await page
    .getByRole("dialog")
    .getByText(first?.run_id.slice(-8) ?? "")
    .waitFor();
  await shoot(opened, "runs-failed");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("heading", { name: "No run matches" }).waitFor();
  expect(await client.runs.list(threadId)).toEqual([]);
  expectQuiet(opened, /404 \(Not Found\)/);
});

test("what comes from a run is shown as text", async () => {
  const evil = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;
  const { thread_id: threadId } = await client.threads.create();
  const { assistant_id: assistantId } = await client.assistants.create({ graphId: "steps", name: evil });
  const { run_id: runId } = await client.runs.create(threadId, assistantId, { input: {}, metadata: { evil } });
  await client.runs.join(threadId, runId);
  await db.query("update runs set status = 'error', error = $2 where run_id = $1", [runId, { error: evil, message: evil }]);
  const opened = await openRuns(`?metadata=${encodeURIComponent(JSON.stringify({ evil }))}`);
  const row = opened.page.getByRole("row").filter({ hasText: runId.slice(-8) });
  await row.getByText("Failed", { exact: true }).waitFor();
  expect(await row.textContent()).toContain(evil);
  expect(await opened.page.locator("img").count()).toBe(0);
  expect(await opened.page.title()).toBe("Runs · Ensemble");
  expectQuiet(opened);
});

test("in read-only mode nothing can be chosen", async () => {
  await kept(readOnly, "steps");
  const opened = await open(`${readOnly.urls[0]}/console/runs`);
  await opened.page.getByRole("cell", { name: "Succeeded", exact: true }).waitFor();
  expect(await opened.page.getByRole("checkbox").count()).toBe(0);
  expectQuiet(opened);
});

test("10,000 runs scroll, and neither the place nor the selection is lost when new runs come", async () => {
  const opened = await open(`${many.urls[0]}/console/runs`);
  const { page } = opened;
  await page.getByText("10,000 runs").waitFor();
  const list = page.getByRole("region", { name: "Runs" });
  await rows(opened).nth(2).getByRole("checkbox").check();
  await list.evaluate((element) => element.scrollTo(0, 200_000));
  await expect.poll(() => rows(opened).count()).toBeGreaterThan(20);
  const before = await page.getByRole("row").nth(20).textContent();
  const number = await page.getByRole("row").nth(20).getAttribute("aria-rowindex");
  expect(Number(number)).toBeGreaterThan(4_900);
  expect(await page.getByRole("row").count()).toBeLessThan(80);
  await kept(many, "steps");
  await page.getByRole("button", { name: "Show 1 new run" }).waitFor();
  await shoot(opened, "runs-new");
  const again = page.locator(`[aria-rowindex="${number}"]`);
  const idOf = (text: string | null) => /[\da-f]{8}/.exec(text ?? "")?.[0];
  expect(idOf(await again.textContent())).toBe(idOf(before));
  await page.getByRole("button", { name: "Show 1 new run" }).click();
  await expect.poll(() => page.getByRole("row").nth(1).textContent()).toContain("Succeeded");
  await page.getByText("1 chosen").waitFor();
  expect(await page.getByRole("checkbox", { name: /^Choose run/, checked: true }).count()).toBe(1);
  expectQuiet(opened);
});

test.each(looks)("the list is accessible at $width px, $scheme", async (look) => {
  const opened = await open(`${many.urls[0]}/console/runs`, look);
  await rows(opened).nth(3).getByRole("checkbox").check();
  await shoot(opened, `runs-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  if (look.width < 600) {
    await opened.page.getByRole("button", { name: "Open the menu" }).click();
    await opened.page.getByRole("link", { name: "Live" }).waitFor();
    await shoot(opened, `menu-${look.width}-${look.scheme}`);
    await expectAccessible(opened);
  }
  expectQuiet(opened);
});
