import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { afterFile } from "../after-file.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { refuseNextAnswer } from "./asking.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";

const { client, db, databaseUrl, urls } = await startTestService();
const url = urls[0] ?? "";
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const model = await startModelServer();
const project = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));
const config = { configurable: { base_url: model.baseUrl } };

const openThread = (threadId: string, look?: Parameters<typeof open>[1]) => open(`${url}/console/threads/${threadId}`, look);
const button = ({ page }: Opened, name: string | RegExp) => page.getByRole("button", { name });
const log = ({ page }: Opened) => page.getByRole("log", { name: "Messages" });

/** Creates a thread with a conversation in which the model has used a tool. */
async function talk(text = "How is the weather?"): Promise<string> {
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Rome" } } }, { tokens: ["Sun", "ny."] });
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "agent", { input: { messages: [{ role: "user", content: text }] }, config });
  return threadId;
}

async function review(): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "review", { input: { topic: "rivers" } });
  return threadId;
}

test("a message is sent, its answer streams, and the tool call is folded with its result", async () => {
  const threadId = await talk();
  const opened = await openThread(threadId);
  const { page } = opened;
  await log(opened).getByText("Sunny.").waitFor();
  await log(opened).getByText("weather", { exact: true }).click();
  await log(opened).getByText("sunny in Rome").waitFor();
  await shoot(opened, "thread-chat");
  await expectAccessible(opened);
  const tokens = Array.from({ length: 30 }, (_, index) => `word${index} `);
  model.script({ toolCall: { id: "call_2", name: "weather", args: { city: "Oslo" } } }, { tokens, pauseMs: 100 });
  await page.getByRole("textbox", { name: "Message" }).fill("And in Oslo?");
  await page.keyboard.press("Enter");
  await log(opened).getByText("And in Oslo?").waitFor();
  await log(opened).getByText("word3").waitFor();
  expect(await log(opened).getByText("word29").count()).toBe(0); // token by token
  await button(opened, "Stop").waitFor();
  await log(opened).getByText("word29").waitFor();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await eventually(async () => (await client.runs.list(threadId)).map(({ status }) => status)).toEqual(["success", "success"]);
  await page.getByRole("tab", { name: "Runs" }).click();
  await expect.poll(() => page.getByRole("list", { name: "Runs" }).getByText("Succeeded").count()).toBe(2);
  await shoot(opened, "thread-runs");
  expectQuiet(opened);
});

test("a run is stopped, and the last answer is retried", async () => {
  const threadId = await talk();
  const opened = await openThread(threadId);
  await log(opened).getByText("Sunny.").waitFor();
  model.script({ tokens: ["slow ", "words "], hang: true });
  await opened.page.getByRole("textbox", { name: "Message" }).fill("Take your time.");
  await button(opened, "Send").click();
  await log(opened).getByText("slow").waitFor();
  await button(opened, "Stop").click();
  await eventually(async () => (await client.runs.list(threadId))[0]?.status).toBe("interrupted");
  model.script({ tokens: ["At once."] });
  await button(opened, "Retry the last answer").click();
  await log(opened).getByText("At once.").waitFor();
  expectQuiet(opened);
});

test("a question is answered in the thread, and a state without messages is shown as such", async () => {
  const threadId = await review();
  const opened = await openThread(threadId);
  const { page } = opened;
  const question = page.getByRole("region", { name: "Open question" });
  await question.getByRole("textbox", { name: "Answer as JSON" }).fill('{ "approved": true }');
  await shoot(opened, "thread-question");
  await expectAccessible(opened);
  await refuseNextAnswer(opened, "Say yes.");
  await question.getByRole("button", { name: "Send answer" }).click();
  await page.getByText("The answer was not accepted. Say yes.").waitFor();
  await question.getByRole("button", { name: "Send answer" }).click();
  await page.getByText("published").first().waitFor();
  await question.waitFor({ state: "detached" });
  await eventually(async () => (await client.threads.get(threadId)).values).toMatchObject({ published: "On rivers" });
  await button(opened, "Run again").click();
  await eventually(async () => (await client.runs.list(threadId)).length).toBe(3);
  expectQuiet(opened, /422/);
});

test("the checkpoints are gone through with the keyboard, with the state and what has changed", async () => {
  const opened = await openThread(await talk());
  const { page } = opened;
  const checkpoints = page.getByRole("group", { name: "Checkpoints" });
  const chosen = () => checkpoints.locator("[aria-current=true]").textContent();
  await checkpoints.locator("[aria-current=true]").focus();
  expect(await chosen()).toContain("model");
  await page.keyboard.press("ArrowDown");
  expect(await chosen()).toContain("tools");
  await page.getByRole("tab", { name: "Changes" }).click();
  await page.getByText("1 difference").waitFor();
  await page.getByText("Added").waitFor();
  await page.getByText('"sunny in Rome"').waitFor();
  await shoot(opened, "thread-changes");
  await expectAccessible(opened);
  await checkpoints.locator("[aria-current=true]").focus();
  for (let step = 0; step < 9; step++) await page.keyboard.press("ArrowDown");
  expect(await chosen()).toContain("Input");
  expect(page.url()).toContain("checkpoint=");
  expectQuiet(opened);
});

test("the state is edited at a checkpoint, a run is forked from it, and the branches are compared", async () => {
  const threadId = await talk();
  const opened = await openThread(threadId);
  const { page } = opened;
  const checkpoints = page.getByRole("group", { name: "Checkpoints" });
  await checkpoints.locator("[aria-current=true]").focus();
  await page.keyboard.press("ArrowDown");
  await button(opened, "Edit state").click();
  const dialog = page.getByRole("dialog", { name: "Edit the state" });
  const editor = dialog.getByRole("textbox", { name: "State" });
  await editor.waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Nothing has changed.").waitFor();
  await shoot(opened, "thread-edit");
  await expectAccessible(opened);
  const { values } = (await client.threads.getHistory(threadId))[1] ?? {};
  const edited = JSON.stringify(values).replace("sunny in Rome", "rainy in Rome");
  await editor.focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(edited);
  await dialog.getByLabel("As the node").selectOption("tools");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await checkpoints.getByText("Edited").waitFor();
  expect(JSON.stringify((await client.threads.getState(threadId)).values)).toContain("rainy in Rome");
  model.script({ tokens: ["Rainy."] });
  await button(opened, "Fork from here").click();
  await shoot(opened, "thread-fork");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Start the run" }).click();
  await log(opened).getByText("Rainy.").waitFor();
  await expect.poll(() => checkpoints.getByRole("button").count()).toBe(7);
  await shoot(opened, "thread-branches");
  await checkpoints.getByRole("button").first().click();
  await page.getByLabel("Compare with another branch").selectOption({ index: 1 });
  const comparison = page.getByRole("region", { name: "Comparison" });
  await comparison.getByText("Rainy.", { exact: true }).waitFor();
  await comparison.getByText("Sunny.", { exact: true }).waitFor();
  await shoot(opened, "thread-compare");
  await expectAccessible(opened);
  await button(opened, "Close the comparison").click();
  await log(opened).getByText("Rainy.").waitFor();
  expectQuiet(opened);
});

test("HTML in a message is text", async () => {
  const html = '<img src=x onerror="alert(1)"><script>alert(2)</script><b>bold</b>';
  const opened = await openThread(await talk(html));
  await log(opened).getByText(html).waitFor();
  expect(await opened.page.locator("main :is(img, script, b)").count()).toBe(0);
  expectQuiet(opened);
});

test("attachments and calls that cannot be read are shown as text", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "many-parts", { input: { messages: [{ role: "user", content: "look" }] } });
  const opened = await openThread(threadId);
  await log(opened).getByRole("link", { name: "image" }).waitFor();
  expect(await log(opened).getByRole("link", { name: "image" }).getAttribute("href")).toBe("http://a.test/picture.png");
  expect(await opened.page.locator("main img").count()).toBe(0);
  expectQuiet(opened);
});

test("the metadata is edited, and the thread is deleted after a confirmation", async () => {
  const threadId = await talk();
  const opened = await openThread(threadId);
  const { page } = opened;
  await page.getByRole("tab", { name: "Details" }).click();
  await button(opened, "Edit metadata").click();
  const editor = page.getByRole("dialog").getByRole("textbox", { name: "Metadata" });
  await editor.focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText('{ "topic": "weather" }');
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await eventually(async () => (await client.threads.get(threadId)).metadata).toMatchObject({ topic: "weather", graph_id: "agent" });
  await page.getByRole("region", { name: "Metadata" }).first().getByText('"weather"').waitFor();
  await shoot(opened, "thread-details");
  await expectAccessible(opened);
  await button(opened, "Delete the thread").click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete the thread" }).click();
  await page.getByRole("heading", { name: "Threads" }).waitFor();
  await expect(client.threads.get(threadId)).rejects.toThrow("404");
  expectQuiet(opened);
});

test("a long conversation shows its end, and more on demand", async () => {
  const { thread_id: threadId } = await client.threads.create({ graphId: "agent" });
  const messages = Array.from({ length: 1_000 }, (_, index) => ({
    type: index % 2 ? "ai" : "human",
    id: `m${index}`,
    content: `message ${index} ${"text ".repeat(400)}`,
  }));
  await client.threads.updateState(threadId, { values: { messages }, asNode: "__start__" });
  const opened = await openThread(threadId);
  await log(opened).getByText("message 999").waitFor();
  await expect.poll(() => log(opened).getByRole("article").count()).toBe(60);
  await button(opened, /^Show 60 of 940 earlier messages/).click();
  await expect.poll(() => log(opened).getByRole("article").count()).toBe(120);
  await shoot(opened, "thread-long");
  expectQuiet(opened);
});

test("a state of 2 MB is cut until a person asks for the rest", async () => {
  const { thread_id: threadId } = await client.threads.create({ graphId: "review" });
  const values = { topic: "rivers", draft: `${"On rivers. ".repeat(200_000)}The end.` };
  await client.threads.updateState(threadId, { values, asNode: "write" });
  const opened = await openThread(threadId);
  const { page } = opened;
  await page.getByRole("tab", { name: "State" }).click();
  const more = page.getByRole("button", { name: /^Show all 2,2\d\d,\d\d\d characters$/ }).first();
  await more.waitFor();
  expect(await page.getByText("The end.").count()).toBe(0);
  await more.click();
  await page.getByText("The end.").first().waitFor();
  expectQuiet(opened);
});

test("in read-only mode the thread is shown without actions", async () => {
  const { thread_id: threadId } = await readOnly.client.threads.create();
  await readOnly.client.runs.wait(threadId, "review", { input: { topic: "rivers" } });
  const opened = await open(`${readOnly.urls[0]}/console/threads/${threadId}`);
  await opened.page.getByRole("region", { name: "Open question" }).waitFor();
  for (const name of ["Send answer", "Run again", "Fork from here", "Edit state"]) expect(await button(opened, name).count()).toBe(0);
  expectQuiet(opened);
});

test("threads are found by status and metadata", async () => {
  await db.query("delete from threads");
  const asking = await review();
  const talked = await talk();
  await client.threads.update(talked, { metadata: { topic: "weather" } });
  const opened = await open(`${url}/console/threads`);
  const { page } = opened;
  await expect.poll(() => page.getByRole("row").count()).toBe(2);
  await page.getByRole("row").getByText("Sunny.").waitFor();
  await button(opened, "Interrupted").click();
  await expect.poll(() => page.getByRole("row").count()).toBe(1);
  await page.getByRole("row").getByText(asking.slice(-8)).waitFor();
  await button(opened, "Interrupted").click();
  await page.getByRole("searchbox", { name: "Metadata" }).fill("topic=weather");
  await expect.poll(() => page.getByRole("row").count()).toBe(1);
  await expectAccessible(opened);
  await page.getByRole("row").getByRole("link").click();
  await log(opened).getByText("Sunny.").waitFor();
  expectQuiet(opened);
});

test("the page goes on by itself after a restart of the service", async () => {
  const env = {
    ENSEMBLE_CONFIG: project,
    DATABASE_URL: databaseUrl,
    PORT: await freePort(),
    LOG_LEVEL: "silent",
    WORKER_DRAIN_TIMEOUT: "0.2",
  };
  const start = () => startService(readConfig(env), pino({ level: "silent" }));
  const first = await start();
  const threadId = await talk();
  const opened = await open(`${first.url}/console/threads/${threadId}`);
  await log(opened).getByText("Sunny.").waitFor();
  await first.stop();
  await opened.page.getByText("The service does not answer.").waitFor();
  const second = await start();
  afterFile(() => second.stop());
  await opened.page.getByText("The service does not answer.").waitFor({ state: "detached" });
  model.script({ tokens: ["Here ", "again."] });
  await opened.page.getByRole("textbox", { name: "Message" }).fill("Are you there?");
  await button(opened, "Send").click();
  await log(opened).getByText("Here again.").waitFor();
  expectQuiet(opened, /ERR_|Failed to load resource|reconnect/i);
});

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return String(port);
}

test("a thread that does not exist says so", async () => {
  const opened = await openThread("00000000-0000-4000-8000-000000000000");
  await opened.page.getByRole("heading", { name: "There is no such thread" }).waitFor();
  expectQuiet(opened);
});

test.each(looks)("threads and a thread are accessible at $width px, $scheme", async (look) => {
  const threadId = await talk();
  const list = await open(`${url}/console/threads`, look);
  await list.page.getByRole("row").first().waitFor();
  await shoot(list, `threads-${look.width}-${look.scheme}`);
  await expectAccessible(list);
  expectQuiet(list);
  const opened = await openThread(threadId, look);
  await log(opened).getByText("Sunny.").waitFor();
  await shoot(opened, `thread-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await opened.page.getByRole("tab", { name: "Checkpoints" }).click();
  await shoot(opened, `thread-checkpoints-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
