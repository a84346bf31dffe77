import { randomUUID } from "node:crypto";
import pg from "pg";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { feedbackTokens, isFeedbackPath } from "../../src/feedback/tokens.ts";
import { afterFile } from "../after-file.ts";
import { createDatabase } from "../database.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 10 });
afterFile(() => db.end());

const right = { runId: randomUUID(), key: "user_liked", expires: 1_900_000_000 };
const tokensWith = (secrets?: string) => feedbackTokens(db, readConfig(secrets === undefined ? {} : { ENSEMBLE_FEEDBACK_SECRET: secrets }));
const tokenOf = async (tokens: ReturnType<typeof tokensWith>) => (await tokens.pathFor(right)).split("/").at(-1) ?? "";
const [old, young] = ["an-old-secret-of-at-least-32-characters", "a-new-secret-of-at-least-32-characters"];

test("processes that start at the same time sign with one secret, and so does a process that starts later", async () => {
  const processes = Array.from({ length: 8 }, () => tokensWith());
  const [first = "", ...others] = await Promise.all(processes.map(tokenOf));
  expect(others.every((token) => token === first)).toBe(true);
  expect(await tokensWith().read(first)).toEqual(right);
  expect((await db.query("select octet_length(secret) as bytes from feedback_secret")).rows).toEqual([{ bytes: 32 }]);
});

test("the operator's secret signs, and an older one is still accepted until it is removed", async () => {
  const token = await tokenOf(tokensWith(old));
  expect(await tokensWith(`${young} ${old}`).read(token)).toEqual(right);
  expect(await tokensWith(young).read(token)).toBeUndefined();
  expect(await tokensWith().read(token)).toBeUndefined();
  expect(await tokenOf(tokensWith(`${young},${old}`))).toBe(await tokenOf(tokensWith(young)));
  expect(() => tokensWith("short")).toThrow(/^ENSEMBLE_FEEDBACK_SECRET .*is not what it should be/);
});

test("a database that did not answer once does not break the tokens for good", async () => {
  let failures = 1;
  const flaky = { query: (...args: [never]) => (failures-- > 0 ? Promise.reject(new Error("connection lost")) : db.query(...args)) };
  const tokens = feedbackTokens(flaky as never, readConfig({}));
  await expect(tokens.pathFor(right)).rejects.toThrow("connection lost");
  expect(await tokens.read(await tokenOf(tokens))).toEqual(right);
});

test("only a path with the form of a token counts as a feedback URL", async () => {
  expect(isFeedbackPath(await tokensWith().pathFor(right))).toBe(true);
  for (const path of ["/feedback/tokens/x", "/feedback/tokens/", "/feedback/search", `/x${await tokensWith().pathFor(right)}`])
    expect(isFeedbackPath(path)).toBe(false);
});
