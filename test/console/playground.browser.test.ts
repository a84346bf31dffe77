import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { refuseNextAnswer } from "./asking.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";

// A person who runs the tests may have a key. It must not be spent here: the rehearsal model answers.
delete process.env.OPENAI_API_KEY;
delete process.env.OPENAI_BASE_URL;

const shipped = await startTestService({ ENSEMBLE_CONFIG: "langgraph.json" });
const small = await startTestService();
const readOnly = await startTestService({ ENSEMBLE_CONFIG: "langgraph.json", ENSEMBLE_CONSOLE: "read-only" });

async function openAt({ urls }: { urls: string[] }, query: string, look = {}) {
  const opened = await open(`${urls[0]}/console/playground${query}`, look);
  opened.page.setDefaultTimeout(100_000); // other tests share the machine
  return opened;
}
const form = ({ page }: Opened) => page.getByRole("form", { name: "Run" });
const result = ({ page }: Opened) => page.getByRole("region", { name: "Run", exact: true });
const press = (opened: Opened) => form(opened).getByRole("button", { name: "Run", exact: true }).click();
const ended = (opened: Opened, status = "Succeeded") => result(opened).getByText(status, { exact: true }).waitFor();
const tab = ({ page }: Opened, name: RegExp) => page.getByRole("tab", { name }).click();

/** Replaces the JSON of the input, as a person does. */
async function enterJson(opened: Opened, value: object) {
  await form(opened).getByRole("textbox", { name: "Input" }).click();
  await opened.page.keyboard.press("Control+a");
  await opened.page.keyboard.press("Backspace"); // Chromium would style text that replaces coloured text, which the policy forbids
  await opened.page.keyboard.insertText(JSON.stringify(value));
}

/** Lets a run take more steps than LangGraph's 25. */
async function liftLimit(opened: Opened) {
  await form(opened).getByText("Options").click();
  await form(opened).getByLabel("Recursion limit").fill("100000");
}

/** Returns the run that the page shows, as the service has stored it. */
async function stored(opened: Opened, { client }: typeof small) {
  const link = await result(opened).getByRole("link").first().getAttribute("href");
  const [, threadId = "", runId = ""] = /threads\/([^/]+)\/runs\/(.+)/.exec(link ?? "") ?? [];
  return (await client.runs.get(threadId, runId)) as unknown as { status: string; thread_id: string; kwargs: Record<string, unknown> };
}

test("a conversation is one text, and its answer appears with the steps and the output", async () => {
  const opened = await openAt(shipped, "?graph=chat");
  const { page } = opened;
  await page.getByRole("heading", { name: "Nothing has run here yet" }).waitFor();
  await shoot(opened, "playground-empty");
  await page.getByLabel("Message").fill("Why do rivers bend?");
  await page.keyboard.press("Control+Enter");
  await ended(opened);
  await result(opened).getByRole("article").getByText("rivers").waitFor();
  await result(opened).getByRole("region", { name: "Output" }).getByText("messages").waitFor();
  expect((await stored(opened, shipped)).kwargs.input).toEqual({ messages: [{ role: "user", content: "Why do rivers bend?" }] });
  await shoot(opened, "playground-chat");
  await tab(opened, /^Steps/);
  await page.getByRole("button", { name: /model_request/ }).click();
  await page.getByRole("region", { name: "Result" }).waitFor();
  await shoot(opened, "playground-steps");
  await expectAccessible(opened);
  const { thread_id: threadId } = await stored(opened, shipped);
  await page.getByLabel(/Continue on/).check();
  await press(opened);
  await expect.poll(async () => (await shipped.client.runs.list(threadId)).length).toBe(2);
  await ended(opened);
  expect(await page.getByRole("region", { name: "Runs of this tab" }).getByRole("link").count()).toBe(2);
  expectQuiet(opened);
});

test("a graph is found by words and is kept in the URL, and an unknown one is named", async () => {
  const opened = await openAt(shipped, "?graph=none");
  const { page } = opened;
  await page.getByRole("alert").getByText("none").waitFor();
  await page.getByRole("button", { name: /^Graph or assistant/ }).click();
  await shoot(opened, "playground-picker");
  await expectAccessible(opened);
  await page.getByRole("combobox", { name: "Search graphs" }).fill("incident");
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).searchParams.has("assistant")).toBe(true);
  // A preset brings an example of its own.
  expect(await page.getByLabel(/^task/).inputValue()).toContain("incident");
  await shoot(opened, "playground-preset");
  await page.getByRole("button", { name: /^Graph or assistant/ }).click();
  await page.keyboard.press("Escape");
  expect(await page.getByRole("combobox", { name: "Search graphs" }).count()).toBe(0);
  expectQuiet(opened);
});

test("what the service refuses stands beside the field", async () => {
  const opened = await openAt(shipped, "?graph=supervisor");
  const { page } = opened;
  await press(opened);
  const sentence = "give a task, or messages with one of a person";
  await expect.poll(() => page.getByText(sentence).count()).toBe(2);
  expect(await page.getByLabel(/^task/).getAttribute("aria-invalid")).toBe("true");
  await shoot(opened, "playground-refused");
  await expectAccessible(opened);
  await page.getByLabel(/^task/).fill("Compare sailing and rowing");
  await expect.poll(() => page.getByLabel(/^task/).getAttribute("aria-invalid")).toBe(null);
  await press(opened);
  await ended(opened);
  expectQuiet(opened, /422/);
});

test("a supervisor's agents, ledger and cost are shown", async () => {
  const opened = await openAt(shipped, "?graph=supervisor");
  const { page } = opened;
  await page.getByLabel(/^task/).fill("Compare sailing and rowing");
  await press(opened);
  await page.getByRole("region", { name: "Agents" }).getByText("security").waitFor();
  await ended(opened);
  await page.getByRole("region", { name: "Agents" }).getByText("2 done").waitFor();
  const ledger = page.getByRole("table", { name: "Ledger" });
  expect(await ledger.getByRole("row").filter({ hasText: "supervisor" }).getByRole("cell").allTextContents()).toMatchObject({
    1: "rehearsal",
    2: "3",
  });
  expect(await ledger.getByRole("row").last().getByRole("cell").first().textContent()).toBe("5");
  await tab(opened, /^Events/);
  await page.getByRole("button", { name: /^step/ }).first().click();
  await shoot(opened, "playground-supervisor");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("squads of a hierarchy are shown with their workers, and no call is counted twice", async () => {
  const opened = await openAt(shipped, "?graph=hierarchy");
  await opened.page.getByLabel(/^task/).fill("Test the checkout");
  await press(opened);
  await ended(opened);
  const { thread_id: threadId } = await stored(opened, shipped);
  const { values } = await shipped.client.threads.getState<{ ledger: unknown[] }>(threadId);
  const total = opened.page.getByRole("table", { name: "Ledger" }).getByRole("row").last();
  expect(await total.getByRole("cell").first().textContent()).toBe(String(values.ledger.length));
  await shoot(opened, "playground-hierarchy");
  expectQuiet(opened);
});

test("the scenarios have bars, milestones, the trend of the quality and a comparison", async () => {
  const opened = await openAt(shipped, "?graph=scenario");
  const { page } = opened;
  await form(opened)
    .getByLabel(/^mode /)
    .selectOption("milestone");
  await press(opened);
  const bar = page.getByRole("progressbar", { name: "Progress of complex" });
  await expect.poll(async () => Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThan(0);
  await page.getByRole("img", { name: /^simple: 30 %/ }).waitFor();
  await shoot(opened, "playground-scenario-live");
  await ended(opened);
  expect(await bar.getAttribute("aria-valuenow")).toBe("100");
  expect(await page.getByRole("img", { name: /^complex: \d+ %/ }).count()).toBe(5);
  await page.getByRole("img", { name: /^Quality by progress/ }).waitFor();
  const comparison = page.getByRole("region", { name: "Comparison" });
  await comparison.getByText("Time per item", { exact: true }).waitFor();
  expect(await comparison.getByRole("row").count()).toBeGreaterThan(3);
  await shoot(opened, "playground-scenario");
  await comparison.scrollIntoViewIfNeeded();
  await shoot(opened, "playground-comparison");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("only what is changed in the context is sent, and wrong values are not", async () => {
  const opened = await openAt(small, "?graph=form");
  const { page } = opened;
  await form(opened).getByLabel(/^task/).fill("read it");
  await form(opened)
    .getByText(/^Context/)
    .click();
  await form(opened)
    .getByLabel(/^language/)
    .fill("English");
  await form(opened)
    .getByLabel(/^limit/)
    .fill("none");
  await press(opened);
  await page.getByText("Enter a whole number.").waitFor();
  await shoot(opened, "playground-context");
  await form(opened)
    .getByLabel(/^limit/)
    .fill("3");
  await press(opened);
  await ended(opened);
  expect((await stored(opened, small)).kwargs).toMatchObject({ input: { task: "read it" }, context: { language: "English" } });
  expectQuiet(opened);
});

test("a run is stopped, and a graph without types takes JSON", async () => {
  const opened = await openAt(small, "?graph=slow");
  const { page } = opened;
  await enterJson(opened, { until: 100000, tickMs: 20 });
  await liftLimit(opened);
  await press(opened);
  await tab(opened, /^Steps/);
  await page.getByRole("button", { name: /tick/ }).nth(3).waitFor();
  expect(await form(opened).getByRole("button", { name: "Run", exact: true }).isDisabled()).toBe(true);
  await shoot(opened, "playground-running");
  await result(opened).getByRole("button", { name: "Stop" }).click();
  await ended(opened, "Interrupted");
  expect((await stored(opened, small)).status).toBe("interrupted");
  expectQuiet(opened);
});

test("leaving the page does not end the run, and a reload finds it again", async () => {
  const opened = await openAt(small, "?graph=slow");
  const { page } = opened;
  await enterJson(opened, { until: 150, tickMs: 20 });
  await liftLimit(opened);
  await press(opened);
  await page.getByRole("tab", { name: /^Steps/ }).waitFor();
  await page.getByRole("link", { name: "Live" }).click();
  await page.getByRole("link", { name: "Playground" }).click();
  await result(opened).getByText("Running").waitFor();
  await page.reload();
  await ended(opened);
  await page.getByRole("tab", { name: "Steps 151" }).waitFor();
  expect(await result(opened).getByText("ticks").count()).toBe(1);
  expectQuiet(opened);
});

test("a failed run says why, and a question is answered in place", async () => {
  const opened = await openAt(small, "?graph=fails");
  const { page } = opened;
  await press(opened);
  await ended(opened, "Failed");
  await page.getByRole("alert").getByText("Boo!").waitFor();
  await tab(opened, /^Steps/);
  await page.getByRole("button", { name: /^2 Failed: explode/ }).waitFor();
  await shoot(opened, "playground-failed");
  await page.goto(`${small.urls[0]}/console/playground?graph=review`);
  await enterJson(opened, { topic: "rivers" });
  await press(opened);
  await result(opened).getByText("Waits for an answer", { exact: true }).waitFor();
  const questions = page.getByRole("region", { name: "Questions" });
  await questions.getByText("On rivers").waitFor();
  await shoot(opened, "playground-question");
  await expectAccessible(opened);
  await questions.getByRole("textbox", { name: "Answer as JSON" }).click();
  await page.keyboard.insertText('{ "approved": true }');
  await refuseNextAnswer(opened, "Say yes.");
  await questions.getByRole("button", { name: "Send answer" }).click();
  await page.getByText("The answer was not accepted. Say yes.").waitFor();
  await questions.getByText('"approved": true').waitFor(); // what was entered is still there
  await questions.getByRole("button", { name: "Send answer" }).click();
  await ended(opened);
  await tab(opened, /^Output/);
  await result(opened).getByText("published").waitFor();
  await tab(opened, /^Steps 3/); // the steps before the question stay
  await shoot(opened, "playground-answered");
  expectQuiet(opened, /422/);
});

test("500 steps and 10,000 events stay smooth", async () => {
  const opened = await openAt(small, "?graph=slow");
  const { page } = opened;
  await enterJson(opened, { until: 500, tickMs: 0 });
  await liftLimit(opened);
  await press(opened);
  await ended(opened);
  await tab(opened, /^Steps 501/);
  expect(await page.getByRole("button", { name: /Done: tick/ }).count()).toBeLessThan(60);
  await page.goto(`${small.urls[0]}/console/playground?graph=burst`);
  await enterJson(opened, { events: 10000, size: 20 });
  await press(opened);
  await ended(opened);
  await tab(opened, /^Events 10,000/);
  const slowest = await page.evaluate(async () => {
    const list = document.querySelector('[aria-label="Events"]') as HTMLElement;
    let longest = 0;
    for (let step = 0; step < 30; step++) {
      const before = performance.now();
      list.scrollTop += 4_000;
      await new Promise(requestAnimationFrame);
      longest = Math.max(longest, performance.now() - before);
    }
    return longest;
  });
  expect(slowest).toBeLessThan(1_000); // other tests share the machine
  await shoot(opened, "playground-events");
  expectQuiet(opened);
});

test("in read-only mode the form is shown and nothing can be run", async () => {
  const opened = await openAt(readOnly, "?graph=supervisor");
  await opened.page.getByLabel(/^task/).fill("Compare");
  await opened.page.getByText("This console is read only").waitFor();
  expect(await opened.page.getByRole("button", { name: "Run", exact: true }).count()).toBe(0);
  await opened.page.keyboard.press("Control+Enter");
  await shoot(opened, "playground-read-only");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test.each(looks)("a run is accessible at $width px, $scheme", async (look) => {
  const opened = await openAt(shipped, "?graph=supervisor", look);
  const { page } = opened;
  await page.getByLabel(/^task/).fill("Compare sailing and rowing");
  await shoot(opened, `playground-form-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await press(opened);
  await ended(opened);
  await shoot(opened, `playground-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await page.goto(`${shipped.urls[0]}/console/playground?graph=scenario`);
  await press(opened);
  await ended(opened);
  await page.getByRole("region", { name: "Scenarios" }).scrollIntoViewIfNeeded();
  await shoot(opened, `playground-scenario-${look.width}-${look.scheme}`);
  await page.getByRole("region", { name: "Comparison" }).getByText("Quality", { exact: true }).scrollIntoViewIfNeeded();
  await shoot(opened, `playground-comparison-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
