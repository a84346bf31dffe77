import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { button, call, heading, inboxOf, Order } from "./asking.ts";
import { expectAccessible, expectQuiet, looks, open, shoot } from "./browser.ts";

const service = await startTestService();
const { client, db, fetch } = service;
const empty = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const { ask, inbox, answersOn } = inboxOf(service);

test("without questions the page says what would be here", async () => {
  const opened = await open(`${empty.urls[0]}/console/inbox`);
  await heading(opened, "Nobody has asked anything").waitFor();
  expect(await opened.page.getByRole("link", { name: /Inbox/ }).textContent()).toBe("Inbox");
  await shoot(opened, "inbox-empty");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("the keys choose, approve and reject, and do nothing while one types", async () => {
  const approval = { type: "approval" };
  const threadId = await ask({ prompt: "one", ...approval }, { prompt: "two", ...approval }, { prompt: "three" });
  const opened = await inbox(threadId);
  const { page } = opened;
  const chosen = () => page.getByRole("heading", { level: 2 }).first().textContent();
  const order: (string | null)[] = [];
  await page.getByRole("heading", { level: 2 }).waitFor();
  for (const key of ["j", "ArrowDown", "j"]) {
    order.push(await chosen());
    await page.keyboard.press(key);
  }
  expect(order.toSorted()).toEqual(["one", "three", "two"]);
  expect(await chosen()).toBe(order[2]); // the last one stays
  const goTo = async (prompt: string) => {
    for (let step = 0; step < 3; step++) await page.keyboard.press("k");
    for (let step = 0; step < 3 && (await chosen()) !== prompt; step++) await page.keyboard.press("j");
    expect(await chosen()).toBe(prompt);
  };
  await goTo("three");
  await page.keyboard.press("Enter");
  await page.keyboard.type("jar");
  expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("jar");
  await page.keyboard.press("Escape");
  await goTo("one");
  await page.keyboard.press("a");
  await eventually(() => answersOn(threadId)).toEqual({ one: { approved: true } });
  await expect.poll(() => page.getByRole("row").count()).toBe(2); // while the thread works, its other questions are not open
  await goTo("two");
  await expect.poll(() => button(opened, "Reject").isEnabled()).toBe(true); // the thread has processed the first answer
  await page.keyboard.press("r");
  await page.keyboard.type("a jar");
  await page.keyboard.press("Control+Enter");
  await eventually(() => answersOn(threadId)).toMatchObject({ two: { approved: false, reason: "a jar" } });
  await heading(opened, "three").waitFor();
  await expect.poll(() => page.getByRole("row").count()).toBe(1);
  expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("jar"); // what was typed is still there
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys of the inbox" }).waitFor();
  await shoot(opened, "inbox-keys");
  await page.keyboard.press("Escape");
  expectQuiet(opened);
});

test("what is typed survives a refresh, and a question that was answered elsewhere says so", async () => {
  const threadId = await ask({ prompt: "Who comes?" });
  const opened = await inbox(threadId);
  const { page } = opened;
  await page.getByRole("textbox", { name: "Answer" }).fill("half an ans");
  await ask({ prompt: "another" });
  await page.waitForResponse(
    (response) => response.url().endsWith("/interrupts/search") && response.request().postData()?.includes(threadId) === true,
  );
  expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("half an ans");
  await button(opened, /Who comes/).click();
  await client.runs.wait(threadId, "survey", { command: { resume: "Bob" } });
  await page.getByText("This question is no longer open.").waitFor();
  await page.getByRole("link", { name: "See the run that followed" }).waitFor();
  await shoot(opened, "inbox-answered-elsewhere");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("an answer that comes too late is refused with a sentence, and so is one that the graph does not take", async () => {
  const threadId = await ask({
    prompt: "How old?",
    schema: { type: "object", required: ["age"], properties: { age: { type: "integer" } }, not: { required: ["no"] } },
  });
  const opened = await inbox(threadId);
  const { page } = opened;
  await page.getByRole("textbox", { name: "age" }).fill("4");
  await page.route("**/interrupts/search", (route) => route.abort()); // the page does not learn that somebody else was faster
  await client.runs.wait(threadId, "survey", { command: { resume: { age: 5 } } });
  await button(opened, "Send answer").click();
  await page.getByText("This question is no longer open.").waitFor();
  await page.getByText("The answer was not accepted. The question was no longer open.").waitFor();
  expectQuiet(opened, /ERR_FAILED|422|409|404/);
});

test("an answer that is refused brings the question back with what was typed", async () => {
  await ask({ prompt: "How long?" });
  await ask({ prompt: "How much?" });
  const opened = await inbox();
  const { page } = opened;
  await button(opened, /How much/).click();
  await page.route("**/threads/*/runs", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    await button(opened, /How much/).waitFor({ state: "detached" }); // the list hides the question, and the page shows another one
    await route.fulfill({ status: 422, body: "The answer must be a number." });
  });
  await page.getByRole("textbox", { name: "Answer" }).fill("much");
  await button(opened, "Send answer").click();
  await page.getByRole("alert").getByText("The answer must be a number.").waitFor();
  await heading(opened, "How much?").waitFor();
  expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("much");
  await shoot(opened, "inbox-refused");
  await expectAccessible(opened);
  expectQuiet(opened, /422/);
});

test("a run is answered with the settings of the run that asked", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "survey", { input: { questions: [{ prompt: "model?" }] }, context: { tone: "kind" } });
  const opened = await inbox(threadId);
  await opened.page.getByRole("textbox", { name: "Answer" }).fill("yes");
  await button(opened, "Send answer").click();
  await eventually(async () => (await client.threads.get(threadId)).values).toMatchObject({
    answers: { "model?": "yes" },
    context: { tone: "kind" },
  });
  expectQuiet(opened);
});

test("the filters are in the URL, and the navigation counts all questions", async () => {
  await db.query("delete from threads");
  await ask({ prompt: "soon", timeoutSeconds: 300 }, { prompt: "later", timeoutSeconds: 90_000 }, { prompt: "ever" });
  await client.runs.wait((await client.threads.create()).thread_id, "review", { input: { topic: "rivers" } });
  const opened = await inbox();
  const { page } = opened;
  const shown = () => page.getByRole("row").count();
  await expect.poll(shown).toBe(4);
  await page.getByRole("link", { name: "Inbox 4 open questions" }).waitFor();
  await page.getByLabel("Deadline").selectOption("Due within 15 minutes");
  await expect.poll(shown).toBe(1);
  await page.getByRole("row").getByText("Due soon: 4 min").waitFor();
  await page.getByLabel("Deadline").selectOption("With or without deadline");
  await page.getByLabel("Order").selectOption("Nearest deadline first");
  await expect.poll(async () => (await page.getByRole("row").allTextContents()).map((text) => text.slice(0, 4))).toEqual(["soon", "late"]);
  await page.getByLabel("Order").selectOption("Oldest first");
  await page.getByLabel("Graph").selectOption("review");
  await expect.poll(shown).toBe(1);
  expect(page.url()).toContain("graph=review");
  await page.reload();
  await expect.poll(shown).toBe(1);
  await page.getByRole("combobox", { name: "Age" }).selectOption("Older than 1 day");
  await heading(opened, "No question matches").waitFor();
  await button(opened, "Clear filters").first().click();
  await expect.poll(shown).toBe(4);
  expectQuiet(opened);
});

test("a prompt that contains HTML is shown as text", async () => {
  const threadId = await ask({ prompt: "<img src=x onerror=alert(1)>", details: "<script>alert(2)</script>" });
  const opened = await inbox(threadId);
  await heading(opened, "<img src=x onerror=alert(1)>").waitFor();
  await opened.page.getByText("<script>alert(2)</script>").waitFor();
  expect(await opened.page.locator("main img, main script").count()).toBe(0);
  expectQuiet(opened);
});

test("in read-only mode a question is shown without a form", async () => {
  const { thread_id: threadId } = await empty.client.threads.create();
  await empty.client.runs.wait(threadId, "survey", { input: { questions: [{ prompt: "Read me?", type: "approval" }] } });
  const opened = await open(`${empty.urls[0]}/console/inbox`);
  await heading(opened, "Read me?").waitFor();
  await opened.page.getByText("read-only mode").waitFor();
  expect(await button(opened, "Approve").count()).toBe(0);
  expectQuiet(opened);
});

test.each(looks)("the inbox is accessible at $width px, $scheme", async (look) => {
  await db.query("delete from threads");
  await ask(
    {
      prompt: "Publish the draft on rivers and lakes in the newsletter of this week?",
      type: "approval",
      timeoutSeconds: 200,
      details: { draft: "Rivers are long." },
    },
    {
      prompt: "Which of the two offers do you take?",
      type: "selection",
      options: ["The cheap one", "The good one"],
      timeoutSeconds: 9_000,
    },
    { prompt: "May mail be used?", ...call("send_mail", { to: "ann@a.test", subject: "Hello" }) },
    { prompt: "What do you order?", schema: Order },
  );
  const opened = await inbox("", look);
  await expect.poll(() => opened.page.getByRole("row").count()).toBe(4);
  await shoot(opened, `inbox-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await button(opened, /Publish the draft/).click();
  await button(opened, "Approve").waitFor();
  await shoot(opened, `inbox-detail-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  if (look.width < 600) {
    await button(opened, "All questions").click();
    await button(opened, /Which of the two/).waitFor();
  }
  expectQuiet(opened);
});

test("a long list renders only what is on the screen", async () => {
  await db.query("delete from threads");
  const questions = Array.from({ length: 100 }, (_, index) => ({ prompt: `question ${index}`, type: "approval" }));
  const threads = await Promise.all(Array.from({ length: 3 }, () => ask(...questions)));
  expect(threads).toHaveLength(3);
  expect((await fetch("/ok")).ok).toBe(true);
  const opened = await inbox();
  await opened.page.getByText("300 open questions").waitFor();
  await opened.page.getByRole("region", { name: "Open questions" }).evaluate((list) => list.scrollTo(0, 200 * 76));
  await expect.poll(() => opened.page.getByRole("row").filter({ hasText: "question" }).count()).toBeGreaterThan(5);
  expect(await opened.page.getByRole("row").count()).toBeLessThan(60);
  expectQuiet(opened);
});
