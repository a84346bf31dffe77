import { expect, onTestFinished, test } from "vitest";
import { createDatabase } from "../database.ts";
import { startModelServer } from "../model-server.ts";
import { startProcess } from "../service.ts";
import { expectQuiet, open, shoot } from "./browser.ts";

const model = await startModelServer();

/** Starts the shipped graphs in a process of their own, whose model is the scripted one. */
async function start(env: Record<string, string>) {
  const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
  const service = await startProcess({
    ENSEMBLE_CONFIG: "langgraph.json",
    LOG_LEVEL: "silent",
    WORKER_DRAIN_TIMEOUT: "0.2",
    ...endpoint,
    ...env,
  });
  onTestFinished(async () => void (await service.stop()));
  return service;
}

/** Opens the playground and lets the graph `chat` answer. */
async function ask(url: string | undefined) {
  const opened = await open(`${url}/console/playground?graph=chat`);
  const { page } = opened;
  page.setDefaultTimeout(120_000);
  await page.getByLabel("Message").fill("Why do rivers bend?");
  await page.keyboard.press("Control+Enter");
  const result = page.getByRole("region", { name: "Run", exact: true });
  return { opened, page, result, answer: result.getByRole("article").locator("pre") };
}

test("tokens appear as they come, as text even if they are HTML, and 10,000 of them do not block the page", async () => {
  const { url } = await start({ DATABASE_URL: await createDatabase(), PORT: "0" });
  model.script({ tokens: ["Rivers ", "bend ", "because ", "of ", "the ", "ground."], pauseMs: 1_000 });
  const { opened, page, result, answer } = await ask(url);
  await answer.getByText("Rivers bend").waitFor();
  await result.getByText("Running").waitFor();
  await shoot(opened, "playground-tokens");
  await result.getByText("Succeeded").waitFor();
  expect(await answer.textContent()).toBe("Rivers bend because of the ground.");

  const evil = '<img src="x" onerror="window.hacked = true"><script>window.hacked = true</script>';
  model.script({ tokens: [evil] });
  await page.keyboard.press("Control+Enter");
  await answer.getByText("<img src").waitFor();
  await result.getByText("Succeeded").waitFor();
  expect(await page.evaluate(() => "hacked" in window)).toBe(false);
  expect(await result.locator("img, script").count()).toBe(0);
  await shoot(opened, "playground-html");

  model.script({ tokens: Array.from({ length: 10_000 }, (_, index) => `word${index} `) });
  await page.evaluate(() => {
    const watched = globalThis as unknown as { longest: number };
    watched.longest = 0;
    let before = performance.now();
    const look = () => {
      watched.longest = Math.max(watched.longest, performance.now() - before);
      before = performance.now();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.keyboard.press("Control+Enter");
  await answer.getByText("word9999").waitFor();
  await result.getByText("Succeeded").waitFor();
  expect(await page.evaluate(() => (globalThis as unknown as { longest: number }).longest)).toBeLessThan(2_000); // others use the machine too
  await shoot(opened, "playground-long");
  expectQuiet(opened);
});

test("a restart of the service while a run streams loses and doubles nothing", async () => {
  const env = { DATABASE_URL: await createDatabase() };
  const first = await start({ ...env, PORT: "0" });
  const words = Array.from({ length: 40 }, (_, index) => `word${index} `);
  model.script({ tokens: words, pauseMs: 250 });
  const { opened, page, result, answer } = await ask(first.url);
  await answer.getByText("word3 ").waitFor();
  await first.stop();
  await result.getByText("The connection is lost.").waitFor();
  await shoot(opened, "playground-lost");
  await start({ ...env, PORT: new URL(first.url ?? "").port });
  await result.getByText("The connection is lost.").waitFor({ state: "detached" });
  await result.getByText("Succeeded").waitFor();
  expect(await answer.textContent()).toBe(words.join(""));
  expect(await page.getByRole("region", { name: "Runs of this tab" }).getByRole("link").count()).toBe(1);
  expectQuiet(opened, /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/);
});
