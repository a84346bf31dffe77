import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { expectAccessible, expectQuiet, type Look, looks, type Opened, open, shoot } from "./browser.ts";

const service = await startTestService();
const { client, db, fetch } = service;
const url = service.urls[0] ?? "";
const empty = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });

type Question = { prompt: string } & Record<string, unknown>;

/** Creates a thread on which these questions are open. Returns its id. */
async function ask(...questions: Question[]): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "survey", { input: { questions } });
  return threadId;
}

const inbox = (threadId = "", look?: Look) => open(`${url}/console/inbox${threadId && `?thread=${threadId}`}`, look);
const answersOn = async (threadId: string) => ((await client.threads.get(threadId)).values as { answers: Record<string, unknown> }).answers;
const heading = ({ page }: Opened, name: string) => page.getByRole("heading", { name, exact: true });
const button = ({ page }: Opened, name: string | RegExp) => page.getByRole("button", { name });

const Order = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 2, description: "Who receives the parcel." },
    size: { enum: ["small", "large"] },
    amount: { type: "integer", minimum: 1, maximum: 9, default: 1 },
    isGift: { type: "boolean", title: "It is a gift" },
    tags: { type: "array", items: { type: "string" } },
    payment: {
      oneOf: [
        {
          title: "Card",
          type: "object",
          properties: { kind: { const: "card" }, digits: { type: "string" } },
          required: ["kind", "digits"],
        },
        { title: "Invoice", type: "object", properties: { kind: { const: "invoice" } }, required: ["kind"] },
      ],
    },
  },
  required: ["name", "size", "amount", "payment"],
};

const call = (name: string, args: object) => ({ action_request: { action: name, args } });

test("without questions the page says what would be here", async () => {
  const opened = await open(`${empty.urls[0]}/console/inbox`);
  await heading(opened, "Nobody has asked anything").waitFor();
  expect(await opened.page.getByRole("link", { name: /Inbox/ }).textContent()).toBe("Inbox");
  await shoot(opened, "inbox-empty");
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("an approval is given, and a rejection goes with its reason", async () => {
  const approval = { type: "approval", details: { draft: "Rivers are long." } };
  const threadId = await ask({ prompt: "Publish this?", ...approval }, { prompt: "Delete that?", ...approval });
  const opened = await inbox(threadId);
  await button(opened, /Publish this/).click();
  await heading(opened, "Publish this?").waitFor();
  await opened.page.getByText("Rivers are long.").waitFor();
  await shoot(opened, "inbox-approval");
  await button(opened, "Approve").click();
  await heading(opened, "Delete that?").waitFor();
  await eventually(() => answersOn(threadId)).toEqual({ "Publish this?": { approved: true } });
  await button(opened, "Reject").click();
  await opened.page.getByLabel("Reason").fill("It is still needed.");
  await shoot(opened, "inbox-reject");
  await expectAccessible(opened);
  await button(opened, "Reject").click();
  await eventually(() => answersOn(threadId)).toMatchObject({ "Delete that?": { approved: false, reason: "It is still needed." } });
  await heading(opened, "No question matches").waitFor();
  expectQuiet(opened);
});

test("a selection and a free input are answered", async () => {
  const threadId = await ask({ prompt: "Which colour?", type: "selection", options: ["red", "blue"] }, { prompt: "Your name?" });
  const opened = await inbox(threadId);
  await button(opened, /Which colour/).click();
  await button(opened, "Send answer").click();
  await opened.page.getByText("Choose one of them.").waitFor();
  await opened.page.getByRole("radio", { name: "blue" }).check();
  await shoot(opened, "inbox-selection");
  await button(opened, "Send answer").click();
  await heading(opened, "Your name?").waitFor();
  await opened.page.getByRole("textbox", { name: "Answer" }).fill("Ann\nof Bath");
  await opened.page.keyboard.press("Control+Enter");
  await eventually(() => answersOn(threadId)).toEqual({ "Which colour?": "blue", "Your name?": "Ann\nof Bath" });
  expectQuiet(opened);
});

test("a form checks its fields, can be edited as JSON, and sends what the schema wants", async () => {
  const threadId = await ask({ prompt: "What do you order?", schema: Order });
  const opened = await inbox(threadId);
  const { page } = opened;
  await heading(opened, "What do you order?").waitFor();
  await page.getByLabel("name").fill("A");
  await page.getByLabel("amount").fill("12");
  await button(opened, "Send answer").click();
  await page.getByText("Enter at least 2 characters.").waitFor();
  await page.getByText("Enter at most 9.").waitFor();
  await page.getByText("This field is required.").first().waitFor();
  await shoot(opened, "inbox-form-problems");
  await expectAccessible(opened);
  expect(await answersOn(threadId)).toEqual({});
  await page.getByLabel("name").fill("Ann");
  await page.getByLabel("size").selectOption("large");
  await page.getByLabel("amount").fill("3");
  await page.getByLabel("It is a gift").check();
  await button(opened, "Add tags").click();
  await page.getByLabel("tags 1", { exact: true }).fill("new");
  await page.getByLabel("payment").selectOption("Invoice");
  await shoot(opened, "inbox-form");
  await button(opened, "Edit as JSON").click();
  await page.getByRole("textbox", { name: "Answer as JSON" }).getByText("invoice").waitFor();
  await shoot(opened, "inbox-form-json");
  await button(opened, "Show the form").click();
  expect(await page.getByLabel("amount").inputValue()).toBe("3");
  await button(opened, "Send answer").click();
  const order = { name: "Ann", size: "large", amount: 3, isGift: true, tags: ["new"], payment: { kind: "invoice" } };
  await eventually(() => answersOn(threadId)).toEqual({ "What do you order?": order });
  expectQuiet(opened);
});

test("a tool call is approved with changed arguments, in the form that Agent Inbox sends", async () => {
  const threadId = await ask({ prompt: "May mail be used?", ...call("send_mail", { to: "ann@a.test", text: "Hello" }) });
  const opened = await inbox(threadId);
  const { page } = opened;
  await page.getByText("ann@a.test").waitFor();
  await button(opened, "Edit arguments").click();
  const editor = page.getByRole("textbox", { name: "Arguments" });
  await editor.focus();
  await page.keyboard.press("Control+A"); // `fill` would make Chromium add a style of its own
  await page.keyboard.press("Delete");
  await page.keyboard.insertText('{ "to": ');
  await button(opened, "Approve").click();
  await page.getByText("This is not JSON.").waitFor();
  await shoot(opened, "inbox-arguments");
  await editor.focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText('{ "to": "bob@a.test" }');
  await expectAccessible(opened);
  await button(opened, "Approve").click();
  const edit = { type: "edit", args: { action: "send_mail", args: { to: "bob@a.test" } } };
  await eventually(() => answersOn(threadId)).toEqual({ "May mail be used?": [edit] });
  expectQuiet(opened);
});

test("several tool calls are decided one by one, in the form of LangChain's middleware and of the patterns", async () => {
  const actionRequests = [
    { name: "search", args: { query: "rivers" } },
    { name: "delete_file", args: { path: "/a" } },
  ];
  const argsSchema = { type: "object", properties: { query: { type: "string" } }, required: ["query"] };
  const reviewConfigs = [{ actionName: "search", allowedDecisions: ["approve", "edit", "reject"], argsSchema }];
  const ours = { type: "approval", action_requests: actionRequests };
  const threadId = await ask({ prompt: "camel", actionRequests, reviewConfigs }, { prompt: "ours", ...ours });
  const opened = await inbox(threadId);
  const { page } = opened;
  await button(opened, /^camel/).click();
  const search = page.getByRole("region", { name: "Call of search" });
  await search.getByRole("button", { name: "Edit arguments" }).click();
  await search.getByLabel("query").fill("lakes");
  await page.getByRole("region", { name: "Call of delete_file" }).getByRole("button", { name: "Reject this" }).click();
  await page.getByLabel("Reason to reject delete_file").fill("no");
  await shoot(opened, "inbox-calls");
  await expectAccessible(opened);
  await button(opened, "Approve 1, reject 1").click();
  await heading(opened, "ours").waitFor();
  await button(opened, "Approve all 2").click();
  await eventually(() => answersOn(threadId)).toEqual({
    camel: {
      decisions: [
        { type: "edit", editedAction: { name: "search", args: { query: "lakes" } } },
        { type: "reject", message: "no" },
      ],
    },
    ours: [{ approved: true }, { approved: true }],
  });
  expectQuiet(opened);
});

test("a question of unknown form is answered with JSON, and the run goes on", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "review", { input: { topic: "rivers" } });
  const opened = await inbox(threadId);
  await opened.page.getByText("On rivers").first().waitFor();
  await opened.page.getByRole("textbox", { name: "Answer as JSON" }).fill('{ "approved": true }');
  await shoot(opened, "inbox-unknown");
  await expectAccessible(opened);
  await button(opened, "Send answer").click();
  await eventually(async () => (await client.threads.get(threadId)).values).toMatchObject({ published: "On rivers" });
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
  expectQuiet(opened, /ERR_FAILED|422|409|404/);
});

test("an answer that is refused brings the question back with what was typed", async () => {
  const threadId = await ask({ prompt: "How much?" });
  const opened = await inbox(threadId);
  const { page } = opened;
  await page.route("**/threads/*/runs", (route) =>
    route.request().method() === "POST" ? route.fulfill({ status: 422, body: "The answer must be a number." }) : route.continue(),
  );
  await page.getByRole("textbox", { name: "Answer" }).fill("much");
  await button(opened, "Send answer").click();
  await page.getByRole("alert").getByText("The answer must be a number.").waitFor();
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
