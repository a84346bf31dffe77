import { expect, test } from "vitest";
import type { CallEnd } from "../../src/patches/timed-calls.ts";
import { MeteredCalls, usageMeter } from "../../src/worker/usage-meter.ts";
import { startTestService } from "../service.ts";

const { fetch, db } = await startTestService();
const log = { error: (fields: { err: unknown }) => expect.unreachable(String(fields.err)) } as never;
const prices = { m: { input: 1_000_000, cachedInput: 0, output: 1_000_000 } };

/** Ends a call of a model in a run of its own graph. Resolves when the meter has stored its usage. */
async function endCall(graphId: string, model: string, end: CallEnd, meter = usageMeter(db, log)): Promise<void> {
  const calls = new MeteredCalls({ queueKey: null, graphId }, { meter, prices }, { beginCall: () => () => {} });
  calls.beginCall({ kind: "model", name: model, namespace: undefined })(end);
  await calls.stored();
}
const usageOf = async (graphId: string): Promise<Record<string, unknown>[]> =>
  (await fetch(`/usage?by=model&graph=${encodeURIComponent(graphId)}`)).json();

test("a name of a model that the database refuses costs no other run its usage", async () => {
  const meter = usageMeter(db, log);
  const end = { outcome: "success", inputTokens: 1, outputTokens: 1 } as const;
  await Promise.all([
    endCall("honest", "m", end, meter),
    endCall("hostile", "m\0\ud800", end, meter),
    endCall("long", "x".repeat(9_000), end, meter),
  ]);
  expect(await usageOf("honest")).toMatchObject([{ model: "m", calls: 1 }]);
  expect(await usageOf("hostile")).toMatchObject([{ calls: 1 }]);
  expect(await usageOf("long")).toMatchObject([{ model: "x".repeat(200), calls: 1 }]);
});

test.each([
  ["a fraction", { inputTokens: 1.6, outputTokens: 2 }, { input_tokens: 2, output_tokens: 2 }],
  ["a negative number", { inputTokens: -50, outputTokens: 2 }, { input_tokens: 0, output_tokens: 2, dollars: 2 }],
  ["no number", { inputTokens: Number.NaN, outputTokens: "7" as never }, { input_tokens: 0, output_tokens: 0 }],
  ["a huge number", { inputTokens: 1e300, outputTokens: 0 }, { calls: 1 }],
  ["more cached tokens than tokens", { inputTokens: 2, cachedTokens: 9, outputTokens: 1 }, { cached_tokens: 2, dollars: 1 }],
])("an endpoint that reports %s neither loses usage nor lowers the sum", async (name, tokens, expected) => {
  await endCall(name, "m", { outcome: "success", ...tokens });
  const [sum] = await usageOf(name);
  expect(sum).toMatchObject(expected);
  for (const figure of ["input_tokens", "cached_tokens", "output_tokens", "dollars"])
    expect(Number(sum?.[figure])).toBeGreaterThanOrEqual(0);
});
