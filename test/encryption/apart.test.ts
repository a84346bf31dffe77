import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { SealingError, sealingUser } from "../../src/db/sealable.ts";
import { createLogReader } from "../../src/events/log-reader.ts";
import { RunWindow } from "../../src/events/run-window.ts";
import { agentMetrics } from "../../src/metrics/agents.ts";
import { startStatistics } from "../../src/worker/statistics.ts";

test("a run whose events cannot be decrypted does not keep the events of other runs from their followers", async () => {
  const errors: Error[] = [];
  const statements: string[][] = [];
  const db = {
    async query({ values }: { values: unknown[] }) {
      const runIds = values[0] as string[];
      statements.push(runIds);
      if (runIds.includes("run 5")) throw new SealingError("The key is missing.");
      return { rows: runIds.map((runId) => ({ runId, over: false, id: 0, event: "values", data: "{}", at: 0, bytes: 2 })), rowCount: 1 };
    },
  };
  const reader = createLogReader(db as never, (error) => {
    errors.push(error);
  });
  const windows = Array.from({ length: 16 }, (_, index) => Object.assign(new RunWindow(`run ${index}`), { tail: -1 }));
  for (const window of windows) reader.read(window);
  await reader.idle();
  expect(windows.filter(({ tail }) => tail !== 0).map(({ runId }) => runId)).toEqual(["run 5"]);
  expect(errors).toEqual([new SealingError("The key is missing.")]);
  expect(statements.length).toBeLessThan(12);
});

test("the health of agents is not encrypted for the user of one attempt", async () => {
  const users: unknown[] = [];
  const db = {
    async query() {
      users.push(sealingUser.getStore());
      return { rows: [], rowCount: 0 };
    },
  };
  const statistics = startStatistics({ db: db as never, metrics: agentMetrics(new Registry()), log: pino({ level: "silent" }) });
  const call = { agent: "a", outcome: "failed", elapsedMs: 1, attempts: 1, inputTokens: 0, outputTokens: 0, error: "no" } as const;
  sealingUser.run({ identity: "alice" }, () => statistics.callsOf("graph", "run").ended(call));
  await statistics.stop();
  expect(users.length).toBeGreaterThan(1);
  expect(new Set(users)).toEqual(new Set([undefined]));
});
