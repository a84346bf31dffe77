import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";
import { type } from "./editor.ts";

const service = await startTestService();
const { client } = service;
const url = `${service.urls[0]}/console`;
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const evil = `<img src=x onerror="document.title='broken'">`;

const create = (name: string, more: object = {}) => client.assistants.create({ graphId: "described", name, ...more });
const row = ({ page }: Opened, text: string) => page.getByRole("row").filter({ hasText: text });
const editor = ({ page }: Opened, name: string) => page.getByRole("textbox", { name, exact: true });

test("assistants are found by name, graph and metadata, and the URL keeps the search", async () => {
  await create("Writer of letters", { metadata: { team: "post" }, description: "Answers letters in the customer's language." });
  await create("Writer of poems", { metadata: { team: "arts" } });
  const opened = await open(`${url}/assistants`);
  const { page } = opened;
  await page.getByRole("searchbox", { name: "Name contains" }).fill("writer");
  await page.getByText("2 assistants").waitFor();
  await page.getByRole("searchbox", { name: "Metadata" }).fill("team=arts");
  await page.getByText("1 assistant", { exact: true }).waitFor();
  await page.reload();
  await row(opened, "Writer of poems").waitFor();
  expect(await row(opened, "Writer of letters").count()).toBe(0);
  await page.getByLabel("Graph", { exact: true }).selectOption("steps");
  await page.getByRole("heading", { name: "No assistant matches" }).waitFor();
  await page.getByRole("search").getByRole("button", { name: "Clear filters" }).click();
  await row(opened, "Writer of letters").getByText("Own").waitFor();
  await row(opened, "described").getByText("System").first().waitFor();
  expectQuiet(opened);
});

test("long lists have pages", async () => {
  for (let index = 0; index < 52; index++) await create(`Many ${index}`, { metadata: { many: true } });
  const opened = await open(`${url}/assistants?metadata=many%3Dtrue`);
  await opened.page.getByText("1–50 of 52").waitFor();
  await opened.page.getByRole("button", { name: "Next page" }).click();
  await opened.page.getByText("51–52 of 52").waitFor();
  expect(new URL(opened.page.url()).searchParams.get("offset")).toBe("50");
  await opened.page.goBack();
  await opened.page.getByText("1–50 of 52").waitFor();
  expectQuiet(opened);
});

test("an assistant is created with the form of its graph's context", async () => {
  const opened = await open(`${url}/assistants`);
  const { page } = opened;
  await page.getByRole("link", { name: "New assistant" }).click();
  await page.getByLabel("Graph").selectOption("form");
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByText("Enter a name.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Strict one");
  await page.getByLabel("limit").fill("-1");
  await page.getByLabel("language").fill("de");
  await type(opened, "Config", '{"tags": ["night"]');
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByText("This is not JSON.").waitFor();
  await shoot(opened, "assistant-form-wrong");
  await page.getByLabel("limit").fill("7");
  await type(opened, "Config", '{"tags": ["night"]}');
  await type(opened, "Metadata", '{"team": "post"}');
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByRole("heading", { name: "Strict one" }).waitFor();
  const [found] = await client.assistants.search({ metadata: { team: "post" }, graphId: "form" });
  expect(found).toMatchObject({ name: "Strict one", context: { limit: 7, language: "de" }, config: { tags: ["night"] } });
  expect(new URL(page.url()).pathname).toBe(`/console/assistants/${found?.assistant_id}`);
  expectQuiet(opened);
});

test("the service's sentence stands in the form when it refuses the assistant", async () => {
  const opened = await open(`${url}/assistants/new?graph=form`);
  const { page } = opened;
  await page.getByLabel("Name", { exact: true }).fill("Twice");
  for (const nth of [1, 2]) {
    await page.getByRole("button", { name: nth === 1 ? "Add roster" : "Add another" }).click();
    await page
      .getByLabel("name", { exact: true })
      .nth(nth - 1)
      .fill("ann");
  }
  await page.getByRole("button", { name: "Create assistant" }).click();
  await page.getByRole("alert").getByText("there is another one of this name").waitFor();
  expectQuiet(opened, /422/);
});

test("an edit makes a new version, whose differences are shown, and an older version can become the latest", async () => {
  const { assistant_id: id } = await create("Translator", {
    context: { language: "en" },
    config: { tags: ["a"], recursion_limit: 20 },
    metadata: { team: "post" },
  });
  const opened = await open(`${url}/assistants/${id}`);
  const { page } = opened;
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("language").fill("fr");
  await type(opened, "Config", '{"tags": ["a", "b"]}');
  await type(opened, "Metadata", '{"owner": "ann"}');
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await page.getByText("Set team to null instead.").waitFor();
  await type(opened, "Metadata", '{"owner": "ann", "team": "post"}');
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await page.getByText("Version 2 is the latest.").waitFor();
  expect(await client.assistants.get(id)).toMatchObject({ version: 2, context: { language: "fr" }, name: "Translator" });
  await page.getByRole("tab", { name: "Versions" }).click();
  const changes = page.getByRole("list", { name: "Differences" }).getByRole("listitem");
  await changes.first().waitFor();
  expect(await changes.evaluateAll((items) => items.map((item) => item.textContent))).toEqual([
    "changedcontext.language−Before: en+After: fr",
    "addedconfig.tags[1]+After: b",
    "removedconfig.recursion_limit−Before: 20",
    "addedmetadata.owner+After: ann",
  ]);
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Make latest: version 1" }).click();
  await shoot(opened, "assistant-set-latest");
  await expectAccessible(opened);
  await page.getByRole("dialog").getByRole("button", { name: "Make latest" }).click();
  await page.getByText("Version 1 is the latest.").waitFor();
  expect(await client.assistants.get(id)).toMatchObject({ version: 1, context: { language: "en" } });
  await page.reload();
  expect(await page.getByRole("tab", { name: "Versions" }).getAttribute("aria-selected")).toBe("true");
  expectQuiet(opened);
});

test("an assistant is deleted after a confirmation that names its runs and crons", async () => {
  const { assistant_id: id } = await create("Short-lived");
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, id, { input: { city: "Ulm" } });
  await client.crons.create(id, { schedule: "0 7 * * *", input: { city: "Ulm" } });
  const opened = await open(`${url}/assistants/${id}`);
  const { page } = opened;
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("1 run and 1 cron of this assistant are deleted too.").waitFor();
  await shoot(opened, "assistant-delete");
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Cancel" }).click();
  await client.assistants.get(id);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Short-lived was deleted.").waitFor();
  expect(new URL(page.url()).pathname).toBe("/console/assistants");
  await expect(client.assistants.get(id)).rejects.toThrow("404");
  expect((await client.threads.get(threadId)).thread_id).toBe(threadId);
  expectQuiet(opened, /404/);
});

test("a deleted assistant's threads are deleted too if one says so", async () => {
  const { assistant_id: id } = await create("With threads");
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, id, { input: { city: "Ulm" } });
  const { page } = await open(`${url}/assistants/${id}`);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByLabel("Delete the threads of this assistant as well").check();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("With threads was deleted.").waitFor();
  await expect(client.threads.get(threadId)).rejects.toThrow("404");
});

test("a system assistant says why it cannot be deleted, and links to its runs and to the playground", async () => {
  const [system] = await client.assistants.search({ graphId: "described", metadata: { created_by: "system" } });
  const id = system?.assistant_id ?? "";
  const opened = await open(`${url}/assistants/${id}`);
  const { page } = opened;
  await page.getByText("It cannot be deleted here").waitFor();
  expect(await page.getByRole("button", { name: "Delete" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Run", exact: true }).getAttribute("href")).toBe(`/console/playground?assistant=${id}`);
  expect(await page.getByRole("link", { name: "Show runs" }).getAttribute("href")).toBe(`/console/runs?assistant=${id}`);
  await page.goto(`${url}/assistants/00000000-0000-4000-8000-000000000000`);
  await page.getByRole("heading", { name: "There is no such assistant" }).waitFor();
  expectQuiet(opened, /404/);
});

test("what users have written is shown as text", async () => {
  const { assistant_id: id } = await create(evil, { description: evil, metadata: { evil }, context: { language: evil } });
  await client.assistants.update(id, { metadata: { evil: "changed", [evil]: evil } });
  const opened = await open(`${url}/assistants?metadata=${encodeURIComponent(JSON.stringify({ evil: "changed" }))}`);
  const { page } = opened;
  await page.getByRole("link", { name: evil }).click();
  await page.getByRole("heading", { name: evil }).waitFor();
  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByText(`metadata[${JSON.stringify(evil)}]`).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: `Delete ${evil}?` }).waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).toBe(`${evil} · Ensemble`);
  expectQuiet(opened);
});

test("in read-only mode no action is offered", async () => {
  const { assistant_id: id } = await readOnly.client.assistants.create({ graphId: "steps", name: "Read" });
  await readOnly.client.assistants.update(id, { name: "Read more" });
  const opened = await open(`${readOnly.urls[0]}/console/assistants?name=read`);
  const { page } = opened;
  await page.getByRole("link", { name: "Read more" }).waitFor();
  expect(await page.getByRole("link", { name: "New assistant" }).count()).toBe(0);
  await page.getByRole("link", { name: "Read more" }).click();
  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByText("Version 1").first().waitFor();
  expect(
    await page
      .getByRole("main")
      .getByRole("button", { name: /Delete|Make/ })
      .count(),
  ).toBe(0);
  expect(await page.getByRole("link", { name: /Edit|^Run$/ }).count()).toBe(0);
  await page.goto(`${readOnly.urls[0]}/console/assistants/${id}/edit`);
  await page.getByText("This console is read-only.").waitFor();
  expectQuiet(opened);
});

test.each(looks)("the pages are accessible at $width px, $scheme", async (look) => {
  const [found] = await client.assistants.search({ metadata: { owner: "ann" } });
  const { assistant_id: id } = found ?? (await create("Looked at", { metadata: { owner: "ann" } }));
  await client.assistants.update(id, { description: "Translates letters.", context: { language: String(look.width) + look.scheme } });
  const opened = await open(`${url}/assistants`, look);
  const name = (page: string) => `${page}-${look.width}-${look.scheme}`;
  await row(opened, "Many 1").first().waitFor();
  await shoot(opened, name("assistants"));
  await expectAccessible(opened);
  for (const [page, path, wait] of [
    ["assistant", id, "Context"],
    ["assistant-versions", `${id}?tab=versions`, "Versions"],
  ] as const) {
    await opened.page.goto(`${url}/assistants/${path}`);
    await opened.page.getByRole("heading", { name: wait, exact: true }).waitFor();
    await shoot(opened, name(page));
    await expectAccessible(opened);
  }
  await opened.page.goto(`${url}/assistants/new?graph=form`);
  await editor(opened, "Metadata").waitFor();
  await shoot(opened, name("assistant-new"));
  await expectAccessible(opened);
  expectQuiet(opened);
});
