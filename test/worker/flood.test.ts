import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";

const { fetch } = await startTestService({ DATABASE_POOL_SIZE: "1", ENSEMBLE_MAX_WAITING: "5" });

test("in a flood of requests some are answered, the others are asked to retry, and the service stays up", async () => {
  const body = JSON.stringify({ assistant_id: "steps", input: {} });
  const answers = await Promise.all(Array.from({ length: 300 }, () => fetch("/runs", { method: "POST", body })));
  const statuses = answers.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get("retry-after")).toBe("1");
  expect((await fetch("/ok?check_db=1")).status).toBe(200);
  await eventually(async () => (await fetch("/runs/wait", { method: "POST", body })).status).not.toBe(429);
});
