import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { expectAccessible, expectQuiet, looks, type Opened, open, shoot } from "./browser.ts";

const project = new URL("../graphs/queues.json", import.meta.url).pathname;
const service = await startTestService({ ENSEMBLE_CONFIG: project });
const readOnly = await startTestService({ ENSEMBLE_CONFIG: project, ENSEMBLE_CONSOLE: "read-only" });
const { client, fetch } = service;
const url = `${service.urls[0]}/console/queues`;

const setLimit = (name: string, values: object, at = fetch) =>
  at(`/limits/${name}`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(values) });
const limits = async () => (await (await fetch("/limits")).json()) as { name: string; total: number | null; per_key: number | null }[];
const card = ({ page }: Opened, name: string) => page.getByRole("region", { name: `Limit ${name}` });

test("without limits the page says how the first one comes, and a limit is created", async () => {
  const opened = await open(url);
  const { page } = opened;
  await page.getByRole("heading", { name: "There are no limits" }).waitFor();
  await shoot(opened, "queues-empty");
  await page.getByRole("button", { name: "New limit" }).click();
  const form = page.getByRole("form", { name: "Limit" });
  await form.getByLabel("Name").fill("models");
  await form.getByLabel("Graphs").fill("steps, slow");
  await form.getByLabel("Runs at once", { exact: true }).fill("many");
  await form.getByText("Enter a whole number, or nothing.").waitFor();
  await form.getByLabel("Runs at once", { exact: true }).fill("2");
  await form.getByLabel("Rate").fill("fast");
  await page.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").getByText(/rate/).waitFor();
  await shoot(opened, "queues-form");
  await expectAccessible(opened);
  await form.getByLabel("Rate").fill("100/m");
  await page.getByRole("button", { name: "Save" }).click();
  await card(opened, "models").getByText("0 of 2").waitFor();
  expect(await limits()).toMatchObject([{ name: "models", total: 2, rate: "100/m", graphs: ["steps", "slow"] }]);
  expectQuiet(opened, /422/);
  await fetch("/limits/models", { method: "DELETE" });
});

test("who holds slots and who waits is shown, and a limit is paused, edited and deleted", async () => {
  await setLimit("slow", { per_key: 1 });
  const endless = { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } };
  for (const tenant of ["north", "north", "north", "south"]) await client.runs.create(null, "slow", { ...endless, metadata: { tenant } });
  const opened = await open(url);
  const { page } = opened;
  const limit = card(opened, "slow");
  await limit.getByText("1 of a key").waitFor();
  await limit.getByRole("button", { name: "Show the keys" }).click();
  const keys = page.getByRole("table", { name: "Keys of slow" });
  await keys.getByRole("row", { name: /north 1 2/ }).waitFor();
  await keys.getByRole("row", { name: /south 1 0/ }).waitFor();
  await shoot(opened, "queues-keys");
  await limit.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await limit.getByText("Paused", { exact: true }).waitFor();
  expect(await limits()).toMatchObject([{ name: "slow", total: 0, per_key: 1 }]);
  await limit.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Runs at once", { exact: true }).fill("5");
  await page.getByRole("button", { name: "Save" }).click();
  await limit.getByText(/ of 5/).waitFor();
  await limit.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "There are no limits" }).waitFor();
  expect(await limits()).toEqual([]);
  expectQuiet(opened);
});

test("in read-only mode limits are shown without actions", async () => {
  await setLimit("steps", { total: 3 }, readOnly.fetch);
  const opened = await open(`${readOnly.urls[0]}/console/queues`);
  await card(opened, "steps").getByText("0 of 3").waitFor();
  expect(await opened.page.getByRole("button", { name: /New limit|Edit|Pause|Delete/ }).count()).toBe(0);
  expectQuiet(opened);
});

test.each(looks)("the page is accessible at $width px, $scheme", async (look) => {
  await setLimit("steps", { total: 3, per_key: 2, max_waiting: 500, rate: "100/m", shadow: true });
  const opened = await open(url, look);
  await card(opened, "steps").getByText("Shadow").waitFor();
  await shoot(opened, `queues-${look.width}-${look.scheme}`);
  await expectAccessible(opened);
  expectQuiet(opened);
});
