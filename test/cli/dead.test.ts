import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { dead as runDead } from "../../src/cli/dead-command.ts";
import { runCommand } from "../command.ts";
import { lettersAt, only } from "../dead-letters.ts";
import { mended } from "../graphs/mending.ts";
import { startTestService } from "../service.ts";

const service = await startTestService();
const { client, databaseUrl } = service;
const letters = lettersAt(service);
const dead = (...args: string[]) => runCommand(["dead", ...args], { DATABASE_URL: databaseUrl });

async function fail(job: string): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "mending", { input: { job } }).catch(() => {});
  return only(await letters.of(threadId)).id;
}

test("`ensemble dead` lists, shows, redrives and discards letters", async () => {
  expect((await dead()).stdout).toBe("No dead letters.\n");
  const [one, other] = [await fail("one"), await fail("other")];
  const { stdout } = await dead("list", "--kind", "run", "--graph", "mending");
  expect(stdout.trim().split("\n")).toEqual([
    expect.stringMatching(new RegExp(`^${other}  \\S+  1 attempt  run mending  Error: other is broken$`)),
    expect.stringMatching(new RegExp(`^${one}  .* one is broken$`)),
  ]);
  expect(JSON.parse((await dead("show", one)).stdout)).toMatchObject({ id: one, payload: { input: { job: "one" } } });

  mended.add("again");
  expect((await dead("redrive", one, "--edit", '{"job":"again"}', "--parallel", "2")).stdout).toBe("1 letter is redriven.\n");
  expect(await letters.settled(one)).toMatchObject({ state: "redriven", by: "cli" });
  expect(await dead("redrive", one)).toMatchObject({ code: 1, stderr: expect.stringContaining(`No dead letter has the id ${one}`) });
  expect((await dead("discard", "--all")).stdout).toBe("1 letter is discarded.\n");
  expect(JSON.parse((await dead("list", "--state", "discarded", "--json")).stdout)).toMatchObject([{ id: other }]);
});

test.each([
  [["redrive"], "Name the ids of dead letters, or choose them with --kind, --graph, --since or --all."],
  [["discard", randomUUID(), "--all"], "but not both"],
  [["redrive", "nonsense"], '"nonsense" is not the id of a dead letter.'],
  [["redrive", "--all", "--edit", "{"], "--edit is not JSON"],
  [["redrive", "--all", "--parallel", "0"], "--parallel"],
  [["list", "--kind", "runs"], "it should be one of run, webhook"],
  [["list", "--since", "soon"], "--since"],
  [["show"], "needs the id"],
  [["bury"], '"dead" does not take "bury". It takes list, show, redrive, discard.'],
])("`ensemble dead %s` is refused with a sentence", async (words, sentence) => {
  const { args } = readArguments(["dead", ...words], commands);
  await expect(runDead(args)).rejects.toThrow(sentence);
});
