import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import type { ServiceStats } from "../../src/stats/service-stats.ts";
import { until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";

const project = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));
const settings = {
  ENSEMBLE_CONFIG: project,
  DATABASE_URL: await createDatabase(),
  PORT: "0",
  LOG_LEVEL: "silent",
  ENSEMBLE_LEASE_SECS: "3",
};

test("a killed worker takes no stored statistics with it, and one that stops stores its last ones", async () => {
  const api = await startService(readConfig({ ...settings, ENSEMBLE_ROLE: "api" }), pino({ level: "silent" }));
  onTestFinished(api.stop);
  const { client, fetch } = clientFor([api.url ?? ""]);
  const succeeded = async () => ((await (await fetch("/stats?graph=steps")).json()) as ServiceStats).runs.succeeded;

  const killed = await startProcess({ ...settings, ENSEMBLE_ROLE: "worker" });
  await client.runs.wait(null, "steps", { input: {} });
  await until(async () => (await succeeded()) === 1);
  killed.child.kill("SIGKILL");
  await killed.exited;

  const stopped = await startProcess({ ...settings, ENSEMBLE_ROLE: "worker" });
  await client.runs.wait(null, "steps", { input: {} });
  expect(await stopped.stop()).toBe(0);
  expect(await succeeded()).toBe(2);
});
