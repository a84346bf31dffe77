import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";
import { crashedThenDone, manySpans, storeTimeline, unrecorded } from "./timelines.ts";

const model = await startModelServer();
const { client, urls, db } = await startTestService();
const url = urls[0] ?? "";
const shipped = await startTestService({ ENSEMBLE_CONFIG: fileURLToPath(new URL("../../langgraph.json", import.meta.url)) });
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });

type Payload = Parameters<typeof client.runs.create>[2];

interface RunPath {
  threadId: string;
  runId: string;
}

async function create(graphId: string, payload: Payload, service = { client }): Promise<RunPath> {
  const { thread_id: threadId } = await service.client.threads.create();
  const { run_id: runId } = await service.client.runs.create(threadId, graphId, payload);
  return { threadId, runId };
}

async function done(graphId: string, payload: Payload, service = { client }): Promise<RunPath> {
  const path = await create(graphId, payload, service);
  await service.client.runs.join(path.threadId, path.runId);
  return path;
}

const pageOf = ({ threadId, runId }: RunPath, base = url) => `${base}/console/threads/${threadId}/runs/${runId}`;

/** Opens the page of a run, and waits until its graph is drawn. */
async function openRun(path: RunPath, look = {}, base = url): Promise<Opened> {
  const opened = await open(pageOf(path, base), look);
  await opened.page.locator(".react-flow__node").first().waitFor();
  return opened;
}

const nodeOf = ({ page }: Opened, name: string) => page.getByRole("group", { name: new RegExp(`^${name}: `) });
const stateOf = async (opened: Opened, name: string) => (await nodeOf(opened, name).first().getAttribute("aria-label"))?.split(/[:,] /)[1];
const rowOf = ({ page }: Opened, name: string | RegExp) => page.getByRole("row", { name });

let supervised: RunPath;

beforeAll(async () => {
  supervised = await done("supervisor", { input: { task: "Compare three databases" } }, shipped);
});

test.each(looks)("a finished run of a pattern at $width px, $scheme", async (look) => {
  const opened = await openRun(supervised, look, shipped.urls[0]);
  const { page } = opened;
  await page.getByText("Succeeded", { exact: true }).waitFor();
  await rowOf(opened, /route/).waitFor();
  expect(await stateOf(opened, "route")).toBe("done");
  expect(await stateOf(opened, "askAboutConflicts")).toBe("not reached");
  expect(await nodeOf(opened, "work").getAttribute("aria-label")).toMatch(/done, 2 times, .* tokens/);
  expect(await page.getByText("Cost").first().isVisible()).toBe(true);
  await shoot(opened, `run-supervisor-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("model calls and tools are rows inside their nodes, and their details are shown on hover and on focus", async () => {
  model.respond((messages) =>
    messages.includes("tool_call_id") ? { tokens: ["Sunny."] } : { toolCall: { id: "call_1", name: "weather", args: { city: "Bonn" } } },
  );
  const input = { messages: [{ role: "user", content: "Weather?" }] };
  const opened = await openRun(await done("agent", { input, config: { configurable: { base_url: model.baseUrl } } }));
  const { page } = opened;
  const tool = rowOf(opened, /Tool: weather/);
  await tool.hover();
  await page.getByRole("tooltip").getByText("Tool, succeeded").waitFor();
  await shoot(opened, "run-agent-tooltip");
  await page.mouse.move(0, 0);
  await page.getByRole("tooltip").waitFor({ state: "detached" });
  const grid = page.getByRole("treegrid");
  await grid.getByRole("row", { name: /Attempt 1/ }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.getByRole("tooltip").getByText("Model call, succeeded").waitFor();
  expect(await page.getByRole("tooltip").innerText()).toMatch(/tokens\s+1 in, 0 out/);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => grid.getByRole("row", { name: /Model call/ }).count()).toBe(1);
  await page.getByRole("tab", { name: "Output" }).click();
  await page.getByText("Sunny.").first().waitFor();
  expect(page.url()).toContain("tab=output");
  await page.getByRole("tab", { name: "Input" }).click();
  await page.getByRole("region", { name: "Input" }).first().getByText("messages").waitFor();
  await shoot(opened, "run-agent-input");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("subgraphs open in place, and the graph is also a list", async () => {
  const opened = await openRun(await done("nested", { input: { text: "x" } }));
  const { page } = opened;
  expect(await nodeOf(opened, "shout").count()).toBe(0);
  await page.getByRole("button", { name: "Open child" }).click();
  await nodeOf(opened, "shout").waitFor();
  expect(await stateOf(opened, "confirm")).toBe("done");
  await shoot(opened, "run-subgraph-open");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Show as list" }).click();
  await page
    .getByRole("region", { name: "Nodes of the graph" })
    .getByRole("row", { name: /child › confirm done 1/ })
    .waitFor();
  await shoot(opened, "run-node-list");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("a run that goes on lights its nodes, and settles when it ends", async () => {
  const path = await create("slow", {
    input: { until: 100_000, tickMs: 400 },
    config: { recursion_limit: 100_000 },
    streamMode: ["values", "tasks"],
  });
  const opened = await openRun(path);
  const { page } = opened;
  await expect.poll(() => stateOf(opened, "tick")).toBe("running");
  expect(await stateOf(opened, "note")).toBe("done");
  await rowOf(opened, /Attempt 1 running/).waitFor();
  await expect.poll(() => rowOf(opened, /Node: tick/).count()).toBeGreaterThan(2);
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("status").getByText("Live").waitFor();
  await page.getByLabel("Event", { exact: true }).selectOption("tasks");
  await page.getByRole("table", { name: "Events" }).getByRole("row").first().getByRole("button").click();
  await page.getByRole("region", { name: "Event", exact: true }).getByText("note").first().waitFor();
  await shoot(opened, "run-live");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Cancel" }).click();
  await shoot(opened, "run-cancel");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Interrupt the run" }).click();
  await page.getByText("Interrupted", { exact: true }).waitFor();
  await page.getByText("The run was interrupted.").waitFor();
  await page.getByRole("status").getByText("Complete").waitFor();
  expect((await client.runs.get(path.threadId, path.runId)).status).toBe("interrupted");
  expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
  await expect.poll(() => stateOf(opened, "tick")).not.toBe("running");
  await shoot(opened, "run-interrupted");
  expectQuiet(opened);
});

test("a run that goes on is lit without its tasks in the stream, and can be rolled back", async () => {
  const path = await create("slow", { input: { until: 100_000, tickMs: 400 }, config: { recursion_limit: 100_000 } });
  const opened = await openRun(path);
  const { page } = opened;
  await expect.poll(() => stateOf(opened, "tick")).toBe("running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel("Roll back").check();
  await page.getByRole("button", { name: "Roll back the run" }).click();
  await page.waitForURL(/console\/runs/);
  await expect(client.runs.get(path.threadId, path.runId)).rejects.toThrow("404");
  expectQuiet(opened);
});

test("a run is run again on a new thread or on its own", async () => {
  const path = await done("steps", { input: { log: ["given"] }, metadata: { purpose: "test" } });
  const opened = await openRun(path);
  const { page } = opened;
  await page.getByRole("button", { name: "Rerun" }).click();
  await shoot(opened, "run-rerun");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Rerun" }).click();
  await page.getByText("A new run was created.").waitFor();
  const [, threadId = "", runId = ""] = /threads\/(.+)\/runs\/(.+)$/.exec(page.url()) ?? [];
  expect(threadId).not.toBe(path.threadId);
  expect(await client.runs.get(threadId, runId)).toMatchObject({ kwargs: { input: { log: ["given"] } }, metadata: { purpose: "test" } });
  await page.getByText("Succeeded", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Rerun" }).click();
  await page.getByLabel("On the same thread").check();
  await page.getByRole("dialog").getByRole("button", { name: "Rerun" }).click();
  await page.waitForURL((to) => !to.pathname.endsWith(runId));
  expect(page.url()).toContain(threadId);
  await page.getByText("Succeeded", { exact: true }).waitFor();
  expect((await client.threads.getState(threadId)).values).toMatchObject({
    log: ["given", "one", "two", "three", "given", "one", "two", "three"],
  });
  expectQuiet(opened);
});

test("a run is forked from a checkpoint with a changed state", async () => {
  const path = await done("steps", { input: {} });
  const opened = await openRun(path);
  const { page } = opened;
  await page.getByRole("button", { name: "Fork" }).click();
  await page.getByLabel("Checkpoint", { exact: true }).selectOption(await page.getByRole("option", { name: /next: three/ }).innerText());
  await page.getByLabel("With a changed state").check();
  const editor = page.getByRole("dialog").locator(".cm-content");
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete"); // Chromium copies the style of a text that is overwritten
  await page.keyboard.insertText('{ "log": ["edited"]');
  await page.getByRole("dialog").getByRole("button", { name: "Fork" }).click();
  await page.getByRole("alert").getByText("This is not JSON").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Fork" }).click();
  await page.getByLabel("Checkpoint", { exact: true }).selectOption(await page.getByRole("option", { name: /next: three/ }).innerText());
  await page.getByLabel("With a changed state").check();
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete"); // Chromium copies the style of a text that is overwritten
  await page.keyboard.insertText('{ "log": ["edited"], "last": "two" }');
  await shoot(opened, "run-fork");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Fork" }).click();
  await page.getByText("The run was forked.").waitFor();
  await page.getByText("Succeeded", { exact: true }).waitFor();
  expect((await client.threads.getState(path.threadId)).values).toEqual({ log: ["one", "two", "edited", "three"], last: "three" });
  expectQuiet(opened);
});

test("a run is deleted after a confirmation", async () => {
  const path = await done("steps", { input: {} });
  const opened = await openRun(path);
  const { page } = opened;
  await page.getByRole("button", { name: "Delete the run" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/console\/runs/);
  await page.goBack();
  await page.getByRole("heading", { name: "There is no such run" }).waitFor();
  await shoot(opened, "run-unknown");
  expectQuiet(opened, /404/);
});

test("a failed run says where and why, and what to try", async () => {
  const opened = await openRun(await done("fails", { input: {} }));
  const { page } = opened;
  await page.getByText("Boo!").first().waitFor();
  await page.getByText("CustomError").first().waitFor();
  expect(await stateOf(opened, "explode")).toBe("failed");
  await page.getByText("In the node explode.").waitFor();
  await shoot(opened, "run-failed");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Fork from the last checkpoint" }).click();
  await page.getByRole("dialog", { name: "Fork the run" }).waitFor();
  expectQuiet(opened);
});

test("a run that asks leads to the thread and to the inbox", async () => {
  const opened = await openRun(await done("review", { input: { topic: "rivers" } }));
  const { page } = opened;
  await page.getByRole("link", { name: "Answer in the thread" }).waitFor();
  expect(await stateOf(opened, "review")).toBe("interrupted");
  await shoot(opened, "run-asks");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("a takeover is drawn", async () => {
  const path = await storeTimeline({ client, db }, crashedThenDone);
  const opened = await openRun(path);
  await rowOf(opened, /Worker worker-1\/4001 died. Taken over by worker-2\/4002./).waitFor();
  await opened.page.getByText("1 takeover").waitFor();
  await shoot(opened, "run-takeover");
  await expectAccessible(opened);
  expectQuiet(opened);
  for (const look of looks.slice(1)) await shoot(await openRun(path, look), `run-takeover-${look.width}-${look.scheme}`);
});

test("attempts that nobody recorded and spans of every outcome are drawn", async () => {
  const opened = await openRun(await storeTimeline({ client, db }, unrecorded));
  await rowOf(opened, /Nobody recorded this attempt/).waitFor();
  await rowOf(opened, /returned the run to the queue. Continued by/).waitFor();
  await rowOf(opened, /Tool: search_the_web/).hover();
  await opened.page.getByRole("tooltip").getByText("TypeError: fetch failed").waitFor();
  await shoot(opened, "run-outcomes");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("5,000 spans scroll and zoom smoothly", async () => {
  const opened = await openRun(await storeTimeline({ client, db }, manySpans()));
  const { page } = opened;
  const grid = page.getByRole("treegrid");
  await page.getByText("5,000 spans").waitFor();
  expect(await grid.getByRole("row").count()).toBeLessThan(80);
  const slowest = await page.evaluate(async () => {
    const element = document.querySelector("[role=treegrid]") as HTMLElement;
    let slowest = 0;
    for (let step = 1; step <= 60; step++) {
      element.scrollTop = (element.scrollHeight * step) / 60;
      const before = performance.now();
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      slowest = Math.max(slowest, performance.now() - before);
    }
    return slowest;
  });
  console.log(`5,000 spans: the slowest of 60 steps of a scroll took ${Math.round(slowest)} ms`);
  expect(slowest).toBeLessThan(1_000); // the machine may be busy
  await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  for (let step = 0; step < 6; step++) await page.getByRole("button", { name: "Zoom in" }).click();
  await shoot(opened, "run-5000-zoomed");
  await page.getByRole("button", { name: "Fit the whole run" }).click();
  await shoot(opened, "run-5000");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("a pending run says that no worker has its graph", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  const opened = await openRun({ threadId, runId });
  await opened.page.getByText("Queued").waitFor();
  await rowOf(opened, /Waiting/).waitFor();
  await shoot(opened, "run-scheduled");
  await db.query(
    "update runs set run_at = now() - interval '4 s', created_at = now() - interval '4 s', graph_id = 'elsewhere' where run_id = $1",
    [runId],
  );
  await opened.page.getByText("The run waits for a worker that has the graph").waitFor();
  await shoot(opened, "run-waiting-for-graph");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("what comes from a run is text, and never part of the page", async () => {
  const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const path = await storeTimeline({ client, db }, [
    {
      attempt: 1,
      worker: crypto.randomUUID(),
      host: evil,
      pid: 1,
      version: evil,
      claimed: 10,
      ended: 3_000,
      outcome: "error",
      spans: [[1, 0, "node", evil, 10, 2_000, "error", 0, 0, evil]],
    },
  ]);
  await db.query("update runs set status = 'error', metadata = $2, error = $3 where run_id = $1", [
    path.runId,
    { note: evil },
    { error: evil, message: evil },
  ]);
  const opened = await openRun(path);
  const { page } = opened;
  await page.getByText(evil).first().waitFor();
  await rowOf(opened, /Node: <img/).hover();
  await page.getByRole("tooltip").getByText(evil).first().waitFor();
  await shoot(opened, "run-injection");
  await page.getByRole("tab", { name: "Input" }).click();
  await page.getByRole("region", { name: "Metadata" }).first().getByText("onerror").waitFor();
  expect(await page.title()).toContain("Ensemble");
  expect(await page.locator("main img, main script").count()).toBe(0);
  expectQuiet(opened);
});

test("the events of a run are shown while the service keeps them", async () => {
  const path = await done("steps", { input: {} });
  const opened = await open(`${pageOf(path)}?tab=events`);
  await opened.page.getByRole("table", { name: "Events" }).getByText("metadata").waitFor();
  await shoot(opened, "run-events");
  await db.query("delete from run_events where run_id = $1", [path.runId]);
  const later = await open(`${pageOf(path)}?tab=events`);
  await later.page.getByText("The events of this run are no longer kept.").waitFor();
  await shoot(later, "run-events-gone");
  expectQuiet(opened);
  expectQuiet(later);
});

test("in read-only mode there is nothing to do with a run", async () => {
  const path = await done("steps", { input: {} }, readOnly);
  const opened = await openRun(path, {}, readOnly.urls[0]);
  await opened.page.getByText("Succeeded", { exact: true }).waitFor();
  for (const name of ["Rerun", "Fork", "Delete the run"]) expect(await opened.page.getByRole("button", { name }).count()).toBe(0);
  expectQuiet(opened);
});
