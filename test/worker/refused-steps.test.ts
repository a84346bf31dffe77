import { expect, onTestFinished, test, vi } from "vitest";
import { refuseUnsendable } from "../../src/checkpoints/refusals.ts";
import { noRows } from "../../src/checkpoints/rows.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

vi.setConfig({ testTimeout: 60_000 });

const { client, db } = await startTestService({ LOG_LEVEL: process.env.TEST_LOG ?? "silent" });

/** Makes the database refuse rows of a table for which a condition holds, as it refuses rows that are too large. */
async function refuse(table: string, condition: string, [code, message]: readonly string[]): Promise<() => Promise<unknown>> {
  const name = `refuse_${table}`;
  await db.query(`create or replace function ${name}() returns trigger language plpgsql as
    $$ begin if ${condition} then raise exception '${message}' using errcode = '${code}'; end if; return new; end $$`);
  await db.query(`create trigger ${name} before insert or update on ${table} for each row execute function ${name}()`);
  const allow = () => db.query(`drop function if exists ${name} cascade`);
  onTestFinished(async () => void (await allow()));
  return allow;
}

const isPoison = (column: string) => `convert_from(new.${column}, 'utf8') like '%poison%'`;
const tooLarge = ["XX000", "invalid memory alloc request size 1073741824"] as const;
const noMemory = ["53200", "out of memory"] as const;

async function attemptsOf(runId: string): Promise<number> {
  const { rows } = await db.query("select attempt from runs where run_id = $1", [runId]);
  return rows[0].attempt;
}

const isOver = async (threadId: string, runId: string) => !/pending|running/.test((await client.runs.get(threadId, runId)).status);

async function startPoison(payload: object = {}) {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "unstorable", { input: { kind: "bad" }, ...payload });
  return { threadId, runId: run.run_id };
}

test.each([
  tooLarge,
  noMemory,
  ["57014", "canceling statement due to statement timeout"],
  ["54000", "total size of jsonb object elements exceeds the maximum"],
  ["22P05", "unsupported Unicode escape sequence"],
])("a step that the database refuses ends its run in an error that says what it was: %s", async (...refusal) => {
  await refuse("checkpoint_writes", isPoison("blob"), refusal);
  const { threadId, runId } = await startPoison();
  const others = await Promise.all(Array.from({ length: 5 }, () => client.runs.wait(null, "steps", { input: {} })));
  expect(others).toMatchObject(others.map(() => ({ last: "three" })));
  await until(() => isOver(threadId, runId));
  const { __error__: error } = (await client.runs.join(threadId, runId)) as { __error__: { error: string; message: string } };
  expect(error.error).toBe("StepRefusedError");
  for (const part of ['node "produce"', '"value" has 8 bytes', ...refusal]) expect(error.message).toContain(part);
  expect(await attemptsOf(runId)).toBe(1);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "error", values: { before: "prepared" } });
});

test("a checkpoint that the database refuses ends its run in an error", async () => {
  await refuse("checkpoint_blobs", isPoison("blob"), tooLarge);
  const { threadId, runId } = await startPoison();
  await until(() => isOver(threadId, runId));
  expect(await client.runs.join(threadId, runId)).toMatchObject({ __error__: { error: "StepRefusedError" } });
  expect(await attemptsOf(runId)).toBe(1);
});

test("a question that the database refuses ends its run in an error", async () => {
  await refuse("checkpoint_writes", isPoison("blob"), tooLarge);
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "survey", { input: { questions: [{ prompt: "poison?" }] } });
  await until(() => isOver(threadId, run.run_id));
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __error__: { error: "StepRefusedError" } });
  expect(await attemptsOf(run.run_id)).toBe(1);
});

test("an event that the database refuses ends its run in an error", async () => {
  await refuse("run_events", "new.data like '%poison%' and new.event = 'values'", tooLarge);
  const { threadId, runId } = await startPoison();
  await until(() => isOver(threadId, runId));
  expect(await client.runs.join(threadId, runId)).toMatchObject({ __error__: { message: expect.stringContaining("values") } });
  expect(await attemptsOf(runId)).toBe(1);
});

test.each([tooLarge, ["54001", "stack depth limit exceeded"]])(
  "a result that the database refuses ends its run in an error: %s",
  async (...refusal) => {
    await refuse("threads", `new."values"::text like '%poison%'`, refusal);
    const { threadId, runId } = await startPoison({ streamMode: ["updates"] });
    const others = await Promise.all(Array.from({ length: 5 }, () => client.runs.wait(null, "steps", { input: {} })));
    expect(others).toMatchObject(others.map(() => ({ last: "three" })));
    await until(() => isOver(threadId, runId));
    expect(await client.runs.join(threadId, runId)).toMatchObject({
      __error__: { error: "ResultRefusedError", message: expect.stringContaining(refusal[1]) },
    });
    expect(await attemptsOf(runId)).toBe(1);
    expect(await client.threads.get(threadId)).toMatchObject({ status: "error" });
  },
);

test.each([
  ["it is out of memory for everything", "checkpoint_writes", "true", noMemory],
  ["its disk is full, though something small still fits", "checkpoint_writes", isPoison("blob"), ["53100", "No space left on device"]],
  ["it shuts down", "checkpoint_writes", isPoison("blob"), ["57P01", "terminating connection due to administrator command"]],
] as const)("while the database has trouble (%s), a run waits for it", async (_what, table, condition, refusal) => {
  const allow = await refuse(table, condition, refusal);
  const { threadId, runId } = await startPoison();
  await until(async () => (await attemptsOf(runId)) > 3);
  expect(await isOver(threadId, runId)).toBe(false);
  await allow();
  expect(await client.runs.join(threadId, runId)).toMatchObject({ value: "poison" });
});

test("a step that is too large for one database message is refused before it is sent", () => {
  const place = { threadId: "t", namespace: "", checkpointId: "c", taskId: "k", idx: 0, channel: "film" };
  const half = { type: "bytes", text: null, bytes: new Uint8Array(2 ** 29) } as const;
  const writes = [half, half].map((value) => ({ ...place, value }));
  expect(() => refuseUnsendable({ ...noRows, writes })).toThrow("at most 1 GiB");
  expect(() => refuseUnsendable({ ...noRows, writes: writes.slice(1) })).not.toThrow();
});
