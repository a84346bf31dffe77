import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";

const config = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

test("code that throws outside its node is logged with its run and ends nothing else", async () => {
  const service = await startProcess({ ENSEMBLE_CONFIG: config, DATABASE_URL: await createDatabase(), PORT: "0" });
  const { client } = clientFor([service.url ?? ""]);
  try {
    for (const how of ["rejection", "timer"]) {
      const neighbour = client.runs.wait(null, "slow", { input: { until: 5, tickMs: 30 } });
      expect(await client.runs.wait(null, "escape", { input: { how } })).toMatchObject({ done: true });
      expect(await neighbour).toMatchObject({ ticks: 5 });
    }
    const lines = service
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const escaped = lines.filter(({ err }) => err && ["nobody awaits me", "thrown in a timer"].includes(err.message));
    expect(escaped).toHaveLength(2);
    for (const line of escaped) expect(line).toMatchObject({ level: 50, run_id: expect.any(String), attempt: 1 });
  } finally {
    await service.stop();
  }
});
