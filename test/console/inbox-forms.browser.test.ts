import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { button, call, heading, inboxOf, Order } from "./asking.ts";
import { expectAccessible, expectQuiet, shoot } from "./browser.ts";

const service = await startTestService();
const { client, fetch } = service;
const { ask, inbox, answersOn } = inboxOf(service);

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
  const field = opened.page.getByRole("textbox", { name: "Answer" });
  await field.fill("Ann\nof Bath");
  await expect.poll(() => button(opened, "Send answer").isEnabled()).toBe(true); // the thread has processed the first answer
  await field.press("Control+Enter");
  await eventually(() => answersOn(threadId)).toEqual({ "Which colour?": "blue", "Your name?": "Ann\nof Bath" });
  expectQuiet(opened);
});

test("the form of a thread's next question stays while the thread works with the answer before", async () => {
  const threadId = await ask({ prompt: "Go on?", type: "approval" }, { prompt: "Your name?" });
  const opened = await inbox(threadId);
  const { page } = opened;
  await button(opened, /Go on/).click();
  await fetch("/workers/halt", { method: "POST" });
  try {
    await button(opened, "Approve").click();
    const field = page.getByRole("textbox", { name: "Answer" });
    await field.pressSequentially("An");
    await page.getByText("The thread works with your answer to another of its questions.").waitFor();
    await page.keyboard.type("n"); // the field still has the focus
    expect(await field.inputValue()).toBe("Ann");
    await shoot(opened, "inbox-at-work");
    await expectAccessible(opened);
    await page.keyboard.press("Control+Enter");
    expect(await button(opened, "Send answer").isDisabled()).toBe(true);
  } finally {
    await fetch("/workers/resume", { method: "POST" });
  }
  await expect.poll(() => button(opened, "Send answer").isEnabled()).toBe(true);
  expect(await answersOn(threadId)).toEqual({ "Go on?": { approved: true } });
  await page.keyboard.press("Control+Enter");
  await eventually(() => answersOn(threadId)).toEqual({ "Go on?": { approved: true }, "Your name?": "Ann" });
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
