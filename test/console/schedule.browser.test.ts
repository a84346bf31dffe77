import { expect, test } from "vitest";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";
import { type } from "./editor.ts";

const revived = new Set<string>();
const receiver = await startReceiver((response, path) => response.writeHead(revived.has(path) ? 200 : 410).end());
const service = await startTestService({ ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1" });
const { client, db } = service;
const url = `${service.urls[0]}/console/schedule`;
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only", ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1" });
const evil = `<img src=x onerror="document.title='broken'">`;

const crons = ({ page }: Opened) => page.getByRole("list", { name: "Crons" }).getByRole("listitem");
const dead = ({ page }: Opened) => page.getByRole("list", { name: "Dead webhooks" }).getByRole("listitem");
const newAssistant = async (name: string, graphId = "steps") => (await client.assistants.create({ graphId, name })).assistant_id;
const cronsOf = (assistantId: string) => client.crons.search({ assistantId });

/** Ends a run whose receiver refuses its webhook for good. Returns the run's id. */
async function killWebhook(path: string, { client: caller, db: pool } = service): Promise<string> {
  const { thread_id: threadId } = await caller.threads.create();
  const { run_id: runId } = await caller.runs.create(threadId, "steps", { input: {}, webhook: `${receiver.url}${path}` });
  const status = async () => (await pool.query("select status from webhooks where run_id = $1", [runId])).rows[0]?.status;
  await eventually(status).toBe("dead");
  return runId;
}

test("without crons and dead webhooks the page says what would be there", async () => {
  const opened = await open(`${readOnly.urls[0]}/console/schedule`);
  await opened.page.getByRole("heading", { name: "There are no crons" }).waitFor();
  await opened.page.getByText("/runs/crons").waitFor();
  await shoot(opened, "schedule-empty");
  await opened.page.getByRole("tab", { name: "Dead webhooks" }).click();
  await opened.page.getByRole("heading", { name: "No webhook is dead" }).waitFor();
  await expectAccessible(opened);
  expectQuiet(opened);
});

test("a cron is created with the form of its graph, and the service's sentence stands beside the field", async () => {
  const assistantId = await newAssistant("Morning report", "form");
  const opened = await open(url);
  const { page } = opened;
  await page.getByRole("link", { name: "New cron" }).first().click();
  await page.getByLabel("Assistant").selectOption(assistantId);
  await page.getByLabel("Schedule").fill("every day");
  await page.getByLabel("task").fill("Report");
  await page.getByLabel("language").fill("de");
  await page.getByRole("button", { name: "Create cron" }).click();
  const schedule = page.getByLabel("Schedule");
  await expect.poll(() => schedule.getAttribute("aria-invalid")).toBe("true");
  await shoot(opened, "cron-form-refused");
  await expectAccessible(opened);
  await schedule.fill("0 7 * * 1-5");
  await page.getByLabel("Time zone").fill("Mars/Olympus");
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByText("expected the name of a time zone").waitFor();
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await type(opened, "Metadata", '{"team": "post"}');
  await page.getByRole("button", { name: "Create cron" }).click();
  await page.getByText("The cron was created.").waitFor();
  const row = crons(opened).filter({ hasText: "Morning report" });
  await row.getByText("0 7 * * 1-5").waitFor();
  await row.getByText("Europe/Berlin").waitFor();
  const [cron] = await cronsOf(assistantId);
  expect(cron).toMatchObject({ schedule: "0 7 * * 1-5", timezone: "Europe/Berlin", enabled: true, metadata: { team: "post" } });
  expect(cron?.payload).toMatchObject({ input: { task: "Report" }, context: { language: "de" } });
  expectQuiet(opened, /422/);
});

test("a cron is edited, and only what changed is sent", async () => {
  const assistantId = await newAssistant("Edited");
  const { thread_id: threadId } = await client.threads.create();
  await client.crons.createForThread(threadId, assistantId, {
    schedule: "*/5 * * * *",
    input: {},
    interruptBefore: "*",
    metadata: { team: "post" },
  });
  const [before] = await cronsOf(assistantId);
  const opened = await open(`${url}?assistant=${assistantId}`);
  const { page } = opened;
  await page.getByRole("link", { name: "Edit Edited" }).click();
  const schedule = page.getByLabel("Schedule");
  await expect.poll(() => schedule.inputValue()).toBe("*/5 * * * *");
  await schedule.fill("0 * * * *");
  await page.getByRole("button", { name: "Save cron" }).click();
  await page.getByText("The cron was saved.").waitFor();
  const [after] = await cronsOf(assistantId);
  expect(after).toMatchObject({ schedule: "0 * * * *", thread_id: threadId, metadata: { team: "post" } });
  expect(after?.payload).toEqual(before?.payload);
  expectQuiet(opened);
});

test("a cron is paused and resumed, and the state is a filter", async () => {
  const assistantId = await newAssistant("Paused one");
  await client.crons.create(assistantId, { schedule: "0 7 * * *", input: {} });
  const opened = await open(`${url}?assistant=${assistantId}`);
  const { page } = opened;
  await page.getByRole("button", { name: "Pause Paused one" }).click();
  await page.getByText("Paused one is paused.").waitFor();
  await crons(opened).getByText("Paused", { exact: true }).waitFor();
  expect((await cronsOf(assistantId))[0]).toMatchObject({ enabled: false, next_run_date: null });
  await page.getByLabel("State").selectOption("active");
  await page.getByRole("heading", { name: "No cron matches" }).waitFor();
  await page.getByLabel("State").selectOption("paused");
  await page.getByRole("button", { name: "Resume Paused one" }).click();
  await page.getByText("Paused one is active again.").waitFor();
  expect((await cronsOf(assistantId))[0]).toMatchObject({ enabled: true });
  expectQuiet(opened);
});

test.each([
  ["on a new thread", false],
  ["on its thread", true],
] as const)("a cron runs now %s, and its last runs lead to the runs", async (place, onThread) => {
  const assistantId = await newAssistant(`Now ${place}`);
  const { thread_id: threadId } = await client.threads.create();
  const payload = { schedule: "0 7 * * *", input: {}, metadata: { topic: "now" }, config: { tags: ["t"] } };
  if (onThread) await client.crons.createForThread(threadId, assistantId, payload);
  else await client.crons.create(assistantId, { ...payload, onRunCompleted: "keep" });
  const [cron] = await cronsOf(assistantId);
  await db.query("update crons set next_run_date = now() where cron_id = $1", [cron?.cron_id]);
  const stored = async () =>
    (await db.query("select * from runs where metadata ->> 'cron_id' = $1 order by seq", [cron?.cron_id])).rows.filter(
      ({ status }) => status === "success",
    );
  await eventually(async () => (await stored()).length).toBe(1);
  const opened = await open(`${url}?assistant=${assistantId}`);
  const { page } = opened;
  await crons(opened).getByRole("link", { name: "Succeeded" }).waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByText("under your own credential").waitFor();
  await shoot(opened, "cron-run-now");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Run now" }).click();
  await page.getByRole("heading", { name: "The run was created" }).waitFor();
  const href = (await page.getByRole("link", { name: "Show the run" }).getAttribute("href")) ?? "";
  await eventually(async () => (await stored()).length).toBe(2);
  const [tick, manual] = await stored();
  expect(href).toBe(`/console/threads/${manual.thread_id}/runs/${manual.run_id}`);
  expect(manual.thread_id === threadId).toBe(onThread);
  const comparable = ({ kwargs: { config, ...rest } }: typeof tick) => ({ ...rest, tags: config.tags });
  expect(comparable(manual)).toEqual(comparable(tick));
  expect(manual.metadata).toEqual(tick.metadata);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await expect
    .poll(() =>
      crons(opened)
        .getByRole("link", { name: /^Succeeded/ })
        .count(),
    )
    .toBe(2);
  expectQuiet(opened);
});

test("a cron is deleted after a confirmation", async () => {
  const assistantId = await newAssistant("Deleted one");
  await client.crons.create(assistantId, { schedule: "0 7 * * *", input: {} });
  const opened = await open(`${url}?assistant=${assistantId}`);
  const { page } = opened;
  await page.getByRole("button", { name: "Delete Deleted one" }).click();
  await shoot(opened, "cron-delete");
  expect(await cronsOf(assistantId)).toHaveLength(1);
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The cron was deleted.").waitFor();
  expect(await cronsOf(assistantId)).toEqual([]);
  expectQuiet(opened);
});

test("dead webhooks are sent again, and what was not taken is reported", async () => {
  const [one, two, three] = [await killWebhook("/one"), await killWebhook("/two"), await killWebhook("/three")];
  const opened = await open(`${url}?tab=webhooks`);
  const { page } = opened;
  const row = (runId: string) => dead(opened).filter({ hasText: runId.slice(-8) });
  await row(one).getByText("410").waitFor();
  revived.add("/one").add("/two").add("/three");
  await row(one).getByRole("button", { name: "Redrive" }).click();
  await shoot(opened, "webhook-redrive");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Redrive" }).click();
  await page.getByText("1 webhook is sent again.").waitFor();
  await eventually(async () => receiver.at("/one").length).toBe(2);
  await row(one).waitFor({ state: "detached" });
  await page.getByLabel("Choose all on this page").check();
  await page.getByRole("button", { name: "Redrive 2 chosen" }).click();
  await client.runs.delete((await db.query("select thread_id from runs where run_id = $1", [two])).rows[0].thread_id, two);
  await db.query("delete from webhooks where run_id = $1", [two]);
  await page.getByRole("dialog").getByRole("button", { name: "Redrive" }).click();
  await page.getByRole("heading", { name: "1 webhook is sent again, 1 not" }).waitFor();
  await page.getByRole("dialog").getByText(two.slice(-8)).waitFor();
  await shoot(opened, "webhook-report");
  await eventually(async () => receiver.at("/three").length).toBe(2);
  expect(three).toBeTruthy();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("heading", { name: "No webhook is dead" }).waitFor();
  expectQuiet(opened);
});

test("what users have written is shown as text", async () => {
  const assistantId = await newAssistant(evil);
  await client.crons.create(assistantId, { schedule: "0 7 * * *", input: { [evil]: evil }, metadata: { evil } });
  await killWebhook(`/${encodeURIComponent(evil)}`);
  await db.query("update webhooks set error = $1, url = url || $1 where status = 'dead'", [evil]);
  const opened = await open(`${url}?assistant=${assistantId}`);
  const { page } = opened;
  await crons(opened).getByRole("link", { name: evil, exact: true }).waitFor();
  await crons(opened).getByText("Details").click();
  await page.getByRole("region", { name: "Metadata" }).getByText("<img src=x").waitFor();
  await page.getByRole("tab", { name: "Dead webhooks" }).click();
  await dead(opened).getByText(evil, { exact: true }).waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).toBe("Crons and webhooks · Ensemble");
  expectQuiet(opened);
});

test("in read-only mode no action is offered", async () => {
  await readOnly.client.crons.create("steps", { schedule: "0 7 * * *", input: {} });
  await killWebhook("/read-only", readOnly);
  const opened = await open(`${readOnly.urls[0]}/console/schedule`);
  const { page } = opened;
  await crons(opened).first().waitFor();
  expect(await page.getByRole("button", { name: /Run now|Pause|Delete/ }).count()).toBe(0);
  expect(await page.getByRole("link", { name: /New cron|Edit/ }).count()).toBe(0);
  await page.getByRole("tab", { name: "Dead webhooks" }).click();
  await dead(opened).first().waitFor();
  expect(await page.getByRole("checkbox").count()).toBe(0);
  expect(await page.getByRole("button", { name: /Redrive/ }).count()).toBe(0);
  await page.goto(`${readOnly.urls[0]}/console/schedule/new`);
  await page.getByText("This console is read-only.").waitFor();
  expectQuiet(opened);
});

/** Ends a run of the graph `fails`. Returns the id of its dead letter. */
async function failRun(): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "fails", { input: { done: "no" } });
  const letter = async () => (await db.query("select letter_id as id from dead_letters where run_id = $1", [runId])).rows[0]?.id;
  await eventually(async () => (await letter()) !== undefined).toBe(true);
  return letter();
}

test("a dead letter is read, redriven with another input, and others are discarded together", async () => {
  await db.query("delete from dead_letters");
  const [first, second, third] = [await failRun(), await failRun(), await failRun()];
  const stateOf = async (id: string) => (await db.query("select state, attempts from dead_letters where letter_id = $1", [id])).rows[0];
  const opened = await open(`${url}?tab=letters&kind=run`); // dead webhooks are letters too
  const { page } = opened;
  const rows = page.getByRole("list", { name: "Dead letters" }).getByRole("listitem");
  await expect.poll(() => rows.count()).toBe(3);
  await page.getByRole("button", { name: `Open the letter ${first.slice(-8)}` }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Boo!").waitFor();
  await dialog.getByRole("button", { name: "Redrive with another input" }).click();
  await type(opened, "Input", '{"done": "changed"');
  await dialog.getByText("This is not JSON").waitFor();
  expect(await dialog.getByRole("button", { name: "Redrive", exact: true }).isDisabled()).toBe(true);
  await type(opened, "Input", '{"done": "changed"}');
  await dialog.getByRole("button", { name: "Redrive", exact: true }).click();
  await page.getByRole("dialog", { name: "Redrive 1 letter?" }).getByRole("button", { name: "Redrive" }).click();
  await page.getByText("1 letter is being redriven.").waitFor();
  await eventually(() => stateOf(first)).toEqual({ state: "dead", attempts: 2 }); // the graph fails with every input
  const redriven = await db.query("select kwargs -> 'input' as input from runs where metadata ->> 'dead_letter_id' = $1", [first]);
  expect(redriven.rows).toEqual([{ input: { done: "changed" } }]);
  for (const id of [second, third]) await page.getByRole("checkbox", { name: `Choose the letter ${id.slice(-8)}` }).check();
  await page.getByRole("button", { name: "Discard 2 chosen" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByText("2 letters are discarded.").waitFor();
  await expect.poll(() => rows.count()).toBe(1);
  await page.getByLabel("State").selectOption("discarded");
  await expect.poll(() => rows.count()).toBe(2);
  await page.getByLabel("Kind").selectOption("cron");
  await page.getByRole("heading", { name: "No letter matches the filters" }).waitFor();
  expectQuiet(opened);
});

test.each(looks)("the pages are accessible at $width px, $scheme", async (look) => {
  const name = (page: string) => `${page}-${look.width}-${look.scheme}`;
  if (look === looks[0]) {
    const failing = await newAssistant("Nightly import of a system that fails", "fails");
    await client.crons.create(failing, { schedule: "30 2 * * *", timezone: "America/New_York", input: {}, onRunCompleted: "keep" });
    const [cron] = await cronsOf(failing);
    for (let tick = 1; tick <= 3; tick++) {
      await db.query("update crons set next_run_date = now() where cron_id = $1", [cron?.cron_id]);
      const runs = async () => (await db.query("select 1 from runs where metadata ->> 'cron_id' = $1", [cron?.cron_id])).rowCount;
      await eventually(runs).toBe(tick);
    }
    for (const path of ["/orders", "/invoices/a-path-that-is-long-enough-to-need-a-second-line-on-a-telephone", "/users"])
      await killWebhook(path);
  }
  const opened = await open(url, look);
  const { page } = opened;
  await crons(opened).first().waitFor();
  await crons(opened).getByText("Failed").first().waitFor();
  await shoot(opened, name("crons"));
  await expectAccessible(opened);
  await page.getByText("Details").first().click();
  await shoot(opened, name("cron-details"));
  await expectAccessible(opened);
  await page.getByRole("tab", { name: "Dead webhooks" }).click();
  await dead(opened).getByRole("checkbox").first().check();
  await shoot(opened, name("webhooks"));
  await expectAccessible(opened);
  await page.goto(`${url}?tab=letters`);
  await page.getByRole("list", { name: "Dead letters" }).waitFor();
  await shoot(opened, name("letters"));
  await expectAccessible(opened);
  await page
    .getByRole("button", { name: /^Open the letter/ })
    .first()
    .click();
  await page.getByRole("region", { name: "Payload" }).waitFor();
  await shoot(opened, name("letter"));
  await expectAccessible(opened);
  await page.goto(`${url}/new`);
  await page.getByRole("textbox", { name: "Metadata" }).waitFor();
  await shoot(opened, name("cron-new"));
  await expectAccessible(opened);
  expectQuiet(opened);
});
