import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { createDatabase } from "../database.ts";
import { startProxy } from "../proxy.ts";

const project = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

async function startAway(waitSeconds: string, stopping?: AbortSignal) {
  const proxy = await startProxy(await createDatabase());
  proxy.refuse();
  const waiting = Promise.withResolvers<{ msg: string }>();
  const lines: { msg: string }[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    if (line.includes("waiting for up to")) waiting.resolve(JSON.parse(line));
  };
  const env = { ENSEMBLE_CONFIG: project, DATABASE_URL: proxy.url, PORT: "0", ENSEMBLE_DATABASE_WAIT_SECS: waitSeconds };
  const starting = startService(readConfig(env), pino({ level: "warn" }, { write }), stopping);
  starting.catch(() => {});
  return { proxy, starting, waiting: waiting.promise, lines };
}

test("a service whose database is away at start says so, waits for it and starts", async () => {
  const { proxy, starting, waiting, lines } = await startAway("60");
  expect((await waiting).msg).toBe("the database does not answer, waiting for up to 60 s");
  proxy.forward();
  const service = await starting;
  onTestFinished(() => service.stop());
  expect((await fetch(`${service.url}/ok?check_db=1`)).status).toBe(200);
  expect(lines.filter(({ msg }) => msg.includes("waiting"))).toHaveLength(1);
});

test("a service whose database stays away gives up with a sentence that names the server", async () => {
  const { starting, waiting } = await startAway("1");
  await waiting;
  await expect(starting).rejects.toThrow(/^The database at 127\.0\.0\.1:\d+ does not answer: /);
});

test("a service that waits for its database stops on a signal", async () => {
  const stop = new AbortController();
  const { starting, waiting } = await startAway("60", stop.signal);
  await waiting;
  stop.abort();
  await expect(starting).rejects.toThrow("Stopped while waiting for the database.");
});
