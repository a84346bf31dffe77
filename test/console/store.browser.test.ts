import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";
import { type } from "./editor.ts";

const service = await startTestService();
const { store } = service.client;
const url = `${service.urls[0]}/console/store`;
const readOnly = await startTestService({ ENSEMBLE_CONSOLE: "read-only" });
const evil = `<img src=x onerror="document.title='broken'">`;

const items = ({ page }: Opened) => page.getByRole("list", { name: "Items" }).getByRole("listitem");
const tree = ({ page }: Opened) => page.getByRole("navigation", { name: "Namespaces" });
const stored = async (namespace: string[], key: string) => (await store.getItem(namespace, key))?.value;

test("an empty store says how the first item comes", async () => {
  const opened = await open(`${readOnly.urls[0]}/console/store`);
  await opened.page.getByRole("heading", { name: "The store is empty" }).waitFor();
  await opened.page.getByText("curl -X PUT").waitFor();
  expect(await opened.page.getByRole("link", { name: "New item" }).count()).toBe(0);
  await expectAccessible(opened);
  await shoot(opened, "store-empty");
  expectQuiet(opened);
});

test("namespaces open as a tree, and the URL keeps the place", async () => {
  await store.putItem(["users", "ann"], "m1", { text: "Likes rivers", age: 40 });
  await store.putItem(["users", "ann", "diary"], "day", { text: "It rained" });
  await store.putItem(["users", "bob"], "m2", { text: "Climbs hills", age: 12 });
  const opened = await open(url);
  const { page } = opened;
  await tree(opened).getByRole("link", { name: "users" }).click();
  await tree(opened).getByRole("link", { name: "ann" }).click();
  await tree(opened).getByRole("link", { name: "diary" }).waitFor();
  await items(opened).filter({ hasText: "m1" }).waitFor();
  await expect.poll(() => items(opened).count()).toBe(2);
  await items(opened).filter({ hasText: "diary / day" }).getByRole("link").click();
  await page.getByRole("heading", { name: "day" }).waitFor();
  await page.getByRole("region", { name: "Value" }).getByText("It rained").waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "day" }).waitFor();
  await expect.poll(() => tree(opened).locator("[aria-current]").allTextContents()).toEqual(["ann"]);
  await page.goBack();
  await page.getByRole("heading", { name: "day" }).waitFor({ state: "detached" });
  expectQuiet(opened);
});

test("items are found by text and by a filter, with a sentence about embeddings", async () => {
  const opened = await open(`${url}?ns=users`);
  const { page } = opened;
  await page.getByRole("searchbox", { name: "Search text" }).fill("hills");
  await expect.poll(() => items(opened).count()).toBe(1);
  await page.getByText("no embeddings are used").waitFor();
  await items(opened).getByText("score 1.00").waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe("hills");
  await page.getByRole("searchbox", { name: "Search text" }).fill("");
  const filter = page.getByRole("searchbox", { name: "Filter" });
  await filter.fill('{"age": {"$gte": 18}}');
  await expect.poll(async () => (await items(opened).allTextContents()).map((text) => text.includes("m1"))).toEqual([true]);
  await filter.fill('{"age": ');
  await page.getByText("This is not JSON.").waitFor();
  await filter.fill('{"age": {"$near": 18}}');
  await page.getByRole("alert").getByText("$near").waitFor();
  await shoot(opened, "store-filter-refused");
  await page.getByRole("button", { name: "Clear search" }).click();
  await expect.poll(() => items(opened).count()).toBe(3);
  expectQuiet(opened, /422|400/);
});

test("long namespaces have pages", async () => {
  await Promise.all(Array.from({ length: 60 }, (_, index) => store.putItem(["many"], `k${index}`, { index })));
  const opened = await open(`${url}?ns=many`);
  const { page } = opened;
  await page.getByText("1–50", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Next page" }).click();
  await page.getByText("51–60", { exact: true }).waitFor();
  expect(await page.getByRole("button", { name: "Next page" }).isDisabled()).toBe(true);
  expectQuiet(opened);
});

test("an item is created with a time to live, and the service's sentence stands in the form if it refuses it", async () => {
  const opened = await open(`${url}?ns=made`);
  const { page } = opened;
  await page.getByRole("heading", { name: "There are no items in this namespace" }).waitFor();
  await page.getByRole("link", { name: "New item" }).click();
  await page.getByRole("textbox", { name: "Namespace" }).fill("made..here");
  await page.getByLabel("Key").fill("first");
  await type(opened, "Value", "[1]");
  await page.getByRole("button", { name: "Create item" }).click();
  await page.getByText("Enter a JSON object.").waitFor();
  await type(opened, "Value", '{"n": 1}');
  await page.getByRole("button", { name: "Create item" }).click();
  await page.getByRole("alert").getByText("Namespace labels cannot be empty").waitFor();
  await shoot(opened, "store-new-refused");
  await expectAccessible(opened);
  await page.getByRole("textbox", { name: "Namespace" }).fill("made.here");
  await page.getByLabel("Expires").selectOption("minutes");
  await page.getByLabel("Minutes").fill("90");
  await page.getByRole("button", { name: "Create item" }).click();
  await page.getByRole("heading", { name: "first" }).waitFor();
  expect(await stored(["made", "here"], "first")).toEqual({ n: 1 });
  const { rows } = await service.db.query("select ttl_minutes from store_items where key = 'first'");
  expect(Number(rows[0].ttl_minutes)).toBe(90);
  await page.getByRole("link", { name: "New item" }).click();
  await page.getByLabel("Key").fill("first");
  await page.getByRole("button", { name: "Create item" }).click();
  await page.getByText("There is an item with this key already.").waitFor();
  expect(await stored(["made", "here"], "first")).toEqual({ n: 1 });
  expectQuiet(opened, /422/);
});

test("an item is edited, but a change by somebody else is not lost in silence", async () => {
  await store.putItem(["edited"], "note", { text: "old" });
  const opened = await open(`${url}?ns=edited&key=note`);
  const { page } = opened;
  await page.getByRole("button", { name: "Edit" }).click();
  await type(opened, "Value", '{"text": "mine"}');
  await store.putItem(["edited"], "note", { text: "theirs" });
  await page.getByRole("button", { name: "Save item" }).click();
  await page.getByText("The item has changed since you opened it.").waitFor();
  expect(await stored(["edited"], "note")).toEqual({ text: "theirs" });
  await page.getByRole("button", { name: "Save item" }).click();
  await page.getByText("The item note was saved.").waitFor();
  expect(await stored(["edited"], "note")).toEqual({ text: "mine" });
  await page.getByRole("region", { name: "Value" }).getByText("mine").waitFor();
  expectQuiet(opened);
});

test("an item is deleted after a confirmation", async () => {
  await store.putItem(["deleted"], "gone", { text: "bye" });
  const opened = await open(`${url}?ns=deleted&key=gone`);
  const { page } = opened;
  await page.getByRole("button", { name: "Delete" }).click();
  await shoot(opened, "store-delete");
  await expectAccessible(opened);
  expect(await stored(["deleted"], "gone")).toEqual({ text: "bye" });
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The item gone was deleted.").waitFor();
  expect(await store.getItem(["deleted"], "gone")).toBeNull();
  await page.getByRole("heading", { name: "There are no items in this namespace" }).waitFor();
  await page.goto(`${url}?ns=deleted&key=gone`);
  await page.getByRole("heading", { name: "There is no such item" }).waitFor();
  expectQuiet(opened);
});

test("what users have written is shown as text", async () => {
  await store.putItem([evil.replaceAll(".", "")], evil, { [evil]: evil });
  const opened = await open(url);
  const { page } = opened;
  await tree(opened).getByRole("link", { name: "<img" }).click();
  await items(opened).getByRole("link", { name: evil }).click();
  await page.getByRole("heading", { name: evil }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: `Delete ${evil}?` }).waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.title()).toBe("Store · Ensemble");
  expectQuiet(opened);
});

test("in read-only mode an item has no actions, and looking does not keep it alive", async () => {
  await readOnly.client.store.putItem(["read"], "only", { text: "look" }, { ttl: 60 });
  const expiry = async () => (await readOnly.db.query("select expires_at from store_items")).rows[0].expires_at.getTime();
  const before = await expiry();
  const opened = await open(`${readOnly.urls[0]}/console/store?ns=read&key=only&new`);
  await opened.page.getByRole("region", { name: "Value" }).getByText("look").waitFor();
  expect(await opened.page.getByRole("button", { name: /Edit|Delete/ }).count()).toBe(0);
  expect(await expiry()).toBe(before);
  expectQuiet(opened);
});

test.each(looks)("the page is accessible at $width px, $scheme", async (look) => {
  await store.putItem(["users", "ann"], "profile", {
    name: "Ann",
    likes: ["rivers", "the sea"],
    home: { city: "Ulm", since: 2011 },
    note: "Prefers short answers. Lives near the river and walks there every morning before work.",
  });
  const opened = await open(`${url}?ns=users`, look);
  const { page } = opened;
  await items(opened).first().waitFor();
  await shoot(opened, `store-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await page.goto(`${url}?ns=users&ns=ann&key=profile`);
  await page.getByRole("region", { name: "Value" }).waitFor();
  await shoot(opened, `store-item-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Value" }).waitFor();
  await shoot(opened, `store-edit-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
