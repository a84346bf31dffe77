import { once } from "node:events";
import { expect, test } from "vitest";
import { z } from "zod";
import { helpText, readArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { haltRuns, resumeRuns } from "../../src/runs/halt.ts";
import { makeProject, runCommand, spawnCommand } from "../command.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const { client, urls, db } = await startTestService();
const model = await startModelServer();
const env = { ENSEMBLE_URL: urls[0] ?? "" };
const ensemble = (...args: string[]) => runCommand(args, env);

const longRun = { input: { until: 100_000, tickMs: 20 }, config: { recursion_limit: 200_000 }, streamMode: ["updates" as const] };
const Line = z.object({ event: z.string(), data: z.unknown(), id: z.string().optional() });
const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => Line.parse(JSON.parse(line)));

/** Starts a command, and interrupts it when it has printed matching text. */
async function untilItSays(said: RegExp, ...args: string[]) {
  const child = spawnCommand(args, env);
  let stdout = "";
  let stderr = "";
  const heard = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    if (said.test(stdout)) heard.resolve();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    if (said.test(stderr)) heard.resolve();
  });
  const closed = once(child, "close");
  void closed.then(() => heard.reject(new Error(`It ended: ${stdout}${stderr}`)));
  await heard.promise;
  return { child, end: () => closed.then(() => ({ code: child.exitCode, stdout, stderr })) };
}

test("`ensemble run` prints each step and the final values, and names the thread so that the user can continue", async () => {
  const first = await runCommand(["run", "slow", "--input", "-"], env, undefined, '{"until":2,"tickMs":1,"name":"a"}');
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatch(/✓ note\n· {"ticking":true}\n✓ tick\n· {"ticking":true}\n✓ tick\n\n{\n {2}"ticks": 2/);
  const threadId = /^thread (\S+)/.exec(first.stdout)?.[1] ?? "";
  const second = await runCommand(["run", "slow", "--thread", threadId, "--input", "-"], env, undefined, '{"until":3,"name":"b"}');
  expect(second.stdout).toContain(`thread ${threadId}`);
  expect((await client.threads.get(threadId)).values).toMatchObject({ ticks: 3, names: ["a", "b"] });
});

test("what a model says is there once, steps inside a graph are named by their place, and tools with what they answer", async () => {
  const { assistant_id } = await client.assistants.create({
    graphId: "agent-inside",
    config: { configurable: { base_url: model.baseUrl } },
  });
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Rome" } } }, { tokens: ["It is ", "sunny", "\nin Rome."] });
  const { code, stdout } = await ensemble("run", assistant_id, "--task", "Weather in Rome?");
  expect(code).toBe(0);
  expect(stdout.split("\n").slice(1)).toEqual([
    "✓ agent › model",
    '    calls weather {"city":"Rome"}',
    "✓ agent › tools",
    "    weather answers sunny in Rome",
    "agent › model: It is sunny",
    "in Rome.",
    "✓ agent › model",
    "✓ agent",
    "",
  ]);
  expect(model.requests[0]?.messages).toMatchObject([{ role: "user", content: "Weather in Rome?" }]);
});

test("with --json every event is a line of JSON, and the last line has the final values", async () => {
  const { code, stdout, stderr } = await ensemble("run", "slow", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = linesOf(stdout);
  expect(lines.map(({ event }) => event).join(" ")).toMatch(/^created metadata updates (custom updates ){3}values$/);
  expect(lines.slice(1, -1).map(({ id }) => id)).toEqual(lines.slice(1, -1).map((_, index) => String(index)));
  expect(lines.at(-1)?.data).toMatchObject({ ticks: 3 });
});

test.for([[], ["--json"]])("a run that fails is an exit code and a sentence of its own (%s)", async (options) => {
  const { code, stdout, stderr } = await ensemble("run", "fails", ...options);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "ensemble: The run failed: CustomError: Boo!\n" });
  expect(stdout).toContain("work");
});

test("without a terminal an interrupt is printed with the command that answers it", async () => {
  const asked = await ensemble("run", "questions");
  expect(asked.code).toBe(3);
  expect(asked.stdout).toMatch(/\? May it be sent\?\n {2}Tool: send\n/);
  const [, threadId = "", answer = ""] = /ensemble run questions --thread (\S+) --resume '(.+)'\n$/.exec(asked.stderr) ?? [];
  expect(await ensemble("run", "questions", "--thread", threadId, "--resume", answer)).toMatchObject({ code: 3 });
  const again = await ensemble("run", "questions", "--thread", threadId);
  expect(again).toMatchObject({ code: 3, stdout: "\n? Which one?\n  1  red\n  2  blue\n" });
  expect((await client.runs.list(threadId)).length).toBe(2);
  await client.runs.wait(threadId, "questions", { command: { resume: "blue" } });
  const last = await ensemble("run", "questions", "--thread", threadId, "--resume", '"Ada"', "--json");
  expect(last.code).toBe(0);
  expect(linesOf(last.stdout).at(-1)?.data).toEqual({ answers: [{ approved: true }, "blue", "Ada"] });
});

test("an answer goes to the graph with the configuration of the run that asked", async () => {
  const project = await makeProject({ "context.json": { tone: "kind" } });
  const asked = await ensemble("run", "questions", "--context", `${project}/context.json`, "--json");
  const { thread_id } = z.object({ thread_id: z.string() }).parse(linesOf(asked.stdout)[0]?.data);
  await ensemble("run", "questions", "--thread", thread_id, "--resume", '{"approved":true}');
  const [latest] = await client.runs.list(thread_id, { limit: 1 });
  expect(latest).toMatchObject({ kwargs: { context: { tone: "kind" } } });
});

test("watch joins a run that goes on, from its first step, and says when somebody cancels it", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "slow", longRun);
  const watching = await untilItSays(/✓ note\n(✓ tick\n){3}/, "watch", threadId);
  const cancelled = await ensemble("cancel", threadId);
  expect(cancelled).toMatchObject({ code: 0, stdout: `Run ${runId} is cancelled.\n` });
  expect(await watching.end()).toMatchObject({ code: 1, stderr: "ensemble: The run was cancelled.\n" });
  expect(await ensemble("cancel", runId)).toMatchObject({ code: 1, stderr: `ensemble: Run ${runId} has ended already (interrupted).\n` });
});

test("Ctrl-C leaves a run that goes on; cancel with --rollback removes it", async () => {
  const { assistant_id } = await client.assistants.create({ graphId: "slow", config: { recursion_limit: 200_000 } });
  const project = await makeProject({ "input.json": longRun.input });
  const running = await untilItSays(/✓ tick/, "run", assistant_id, "--input", `${project}/input.json`);
  running.child.kill("SIGINT");
  const { code, stdout, stderr } = await running.end();
  const [, threadId = "", runId = ""] = /^thread (\S+) {2}run (\S+)/.exec(stdout) ?? [];
  expect(code).toBe(130);
  expect(stderr).toContain(`The run goes on. \`ensemble watch ${threadId}\` joins it again, \`ensemble cancel ${runId}\` stops it.`);
  expect((await client.runs.get(threadId, runId)).status).toBe("running");
  expect(await ensemble("cancel", runId, "--rollback")).toMatchObject({ code: 0, stdout: `Run ${runId} is cancelled and removed.\n` });
  await expect(client.runs.get(threadId, runId)).rejects.toThrow("HTTP 404");
});

test("runs of all threads are listed newest first, and shown by their id alone", async () => {
  const runs = [];
  for (const graph of ["steps", "fails", "steps"]) {
    const { thread_id } = await client.threads.create();
    const run = await client.runs.create(thread_id, graph, { input: {} });
    await client.runs.join(thread_id, run.run_id);
    runs.unshift(run);
  }
  await client.threads.update(runs[2]?.thread_id ?? "", { metadata: { used: "last" } }); // an old run on the thread that changed last
  const listed = z
    .array(z.looseObject({ run_id: z.string() }))
    .parse(JSON.parse((await ensemble("runs", "--limit", "2", "--json")).stdout));
  expect(listed.map(({ run_id }) => run_id)).toEqual(runs.slice(0, 2).map(({ run_id }) => run_id));

  const { stdout } = await ensemble("runs", "--status", "error", "--limit", "1");
  expect(stdout.split("\n")[1]).toMatch(new RegExp(`^${runs[1]?.run_id}  ${runs[1]?.thread_id}  fails +error`));
  const shown = await ensemble("show", runs[2]?.run_id ?? "");
  expect(shown.stdout).toMatch(/graph +steps\nstatus +success\n/);
  const json = JSON.parse((await ensemble("show", runs[0]?.run_id ?? "", "--json")).stdout);
  expect(json).toMatchObject({ run_id: runs[0]?.run_id, status: "success", values: expect.any(Object) });
  const unknown = crypto.randomUUID();
  expect(await ensemble("show", unknown)).toMatchObject({ code: 1, stderr: `ensemble: There is no run ${unknown}.\n` });
});

test("graphs are listed with what they are for", async () => {
  const { stdout } = await ensemble("graphs", "--json");
  expect(JSON.parse(stdout)).toContainEqual({ graph_id: "staged", description: "Tells of three scenarios that it makes up." });
});

test("escape sequences out of a graph reach no terminal, and as JSON they are only data", async () => {
  const readable = await ensemble("run", "hostile");
  const controls = /[^\P{Cc}\n]|\u202e/u;
  expect(readable.stdout).toContain("red link backover");
  expect(readable.stdout).not.toMatch(controls);
  const json = await ensemble("run", "hostile", "--json");
  expect(json.stdout).not.toMatch(controls);
  expect(linesOf(json.stdout).at(-1)?.data).toMatchObject({ result: expect.stringContaining("\u001b[31mred") });
});

test("a run on a service that is halted says that it waits, and goes on when work does", async () => {
  await haltRuns(db);
  const waiting = await untilItSays(/Work is halted on this service/, "run", "steps").finally(() => resumeRuns(db));
  expect((await waiting.end()).code).toBe(0);
});

const wrong: [args: string[], says: string | RegExp][] = [
  [["run", "no-such-graph"], 'There is no graph "no-such-graph" here; there are agent, agent-inside, '],
  [["run", "described", "--task", "x"], '"described" takes no task; give it city, people with --input.'],
  [["run", "steps", "--input", "no-such-file.json"], "--input: no-such-file.json cannot be read (ENOENT)."],
  [["run", "steps", "--context", "README.md"], /^--context README.md is not JSON: /],
  [["run", "steps", "--thread", "x"], '--thread is "x", which is not the id of a thread.'],
  [["run", "steps", "--thread", crypto.randomUUID()], /Thread with ID .+ not found \(http.+ answers 404\)/],
  [["run", "steps", "--resume", "1"], "--resume answers a question of a thread: name it with --thread."],
  [["run", "steps", "--thread", crypto.randomUUID(), "--resume", "{"], "--resume is not JSON: "],
  [["run", "steps", "--thread", crypto.randomUUID(), "--resume", "1", "--task", "x"], "Use one of them."],
  [["watch", crypto.randomUUID()], "There is no thread and no run"],
  [["cancel", "steps"], '"steps" is not the id of a run.'],
  [["runs", "--limit", "many"], '--limit is "many"; it should be a number from 1 to 1000.'],
  [["runs", "--status", "bad"], '--status is "bad"; it should be one of pending, running, '],
  [["runs", "--url", "localhost:1"], '--url is "localhost:1"; it should be like http://127.0.0.1:2024.'],
  [["runs", "--url", `${urls[0]}/docs`], /^The server at .+\/docs is not an Ensemble service/],
  [["demo"], 'This service has no graph "scenario"'],
  [["run"], '"run" needs <graph>; see ensemble run --help.'],
  [["run", "steps", "more"], '"run" does not know what to do with "more".'],
  [["run", "steps", "--dry-run"], "--dry-run belongs to prune: run does not take it."],
  [["run", "steps", "--task"], "Option '--task <value>' argument missing; see --help."],
  [["run", "steps", "--no-such"], "Unknown option '--no-such'; see --help."],
  [["fly"], 'There is no command "fly"; there are start, dev, new, '],
];

test.for(wrong)("%s is refused with a sentence", async ([args, says]) => {
  const call = async () => {
    const { name, args: parsed } = readArguments(["--url", urls[0] ?? "", ...args], commands);
    await commands[name]?.run(parsed);
  };
  await expect(call()).rejects.toThrow(says);
});

test("a service that does not answer gives a one-sentence error and an exit code", async () => {
  const { code, stdout, stderr } = await runCommand(["run", "steps"], { ENSEMBLE_URL: "http://127.0.0.1:9" });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^ensemble: No service answers at http:\/\/127\.0\.0\.1:9 \(.+\)\. Start one with .+\n$/);
});

test("help lists every command, and the options and exit codes of a single command", async () => {
  const all = await runCommand(["--help"], {});
  expect(all.code).toBe(0);
  for (const name of Object.keys(commands)) expect(all.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  const one = helpText(commands, "run");
  for (const option of Object.keys(commands.run?.options ?? {})) expect(one).toContain(`  --${option}`);
  expect(one).toContain("3 the run waits for an answer");
});
