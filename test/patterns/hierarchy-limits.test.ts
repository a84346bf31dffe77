import { expect, test } from "vitest";
import { divide } from "../../graphs/hierarchy/divide.ts";
import { type Commanded, decided, goOn, mission, objective, script, squadNames, startCommand, step, told, work } from "./command.ts";

const { client, model, promptsWith, run } = await startCommand();

/** The most calls of models that were open at once. */
function mostAtOnce({ ledger }: Commanded): number {
  const spans = ledger.map(({ at, elapsedMs }) => [Date.parse(at), Date.parse(at) + elapsedMs] as const);
  return Math.max(...spans.map(([start]) => spans.filter(([from, to]) => from <= start && start < to).length));
}

test("squads and their workers are never more than eight at work at once", async () => {
  script.objectives = [{ json: { objectives: squadNames.map((name) => objective(name, name)) } }];
  const workers = ["a", "b", "c", "d"];
  for (const name of squadNames) script.plans[name] = [{ json: { steps: workers.map((id) => step(`${name}_${id}`, id)) } }];
  script.others = [];
  const slow = { ...work(), json: undefined, tokens: [JSON.stringify({ summary: "seen", findings: [] })], pauseMs: 300 };
  for (const name of squadNames) for (const id of workers) script.work[`${name}_${id}`] = [slow];
  const squads = Object.fromEntries(squadNames.map((name) => [name, { workers: workers.map((id) => ({ name: id, role: "a worker" })) }]));
  const done = await run({ ...mission, context: { squads, limits: { stageMs: 0 } } });
  expect(Object.values(done.reports).map(({ status }) => status)).toEqual(["done", "done", "done"]);
  expect(mostAtOnce(done)).toBeLessThanOrEqual(8);
  expect(mostAtOnce(done)).toBeGreaterThan(1); // the squads work in parallel

  const few = await run({ ...mission, context: { squads, limits: { stageMs: 0, parallel: 2 } } });
  expect(mostAtOnce(few)).toBeLessThanOrEqual(2);
});

test("workers are divided evenly, a squad gets no more than it wants, and the sum is never above the limit", () => {
  expect(divide(8, [undefined, undefined, undefined])).toEqual([3, 3, 2]);
  expect(divide(8, [1, undefined])).toEqual([1, 7]);
  expect(divide(2, [5, 5])).toEqual([1, 1]);
  expect(divide(8, [2, 3])).toEqual([2, 3]);
});

const spentBy = ({ ledger }: Commanded, squad: string) =>
  ledger
    .filter(({ agent }) => agent.startsWith(`${squad}/`))
    .reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);

test("a squad ends at its share of the budget and says what it needs; the commander grants it, and the squad builds on its work", async () => {
  const [one, two] = squadNames as [string, string];
  script.objectives = [{ json: { objectives: [objective("o1", one), objective("o2", two)] } }];
  const many = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map((id) => step(id, "analyzer"));
  script.plans = {
    o1: [{ json: { steps: [step("x", "ui_tester")] } }],
    o2: [{ json: { steps: many } }, { json: { steps: [step("z", "analyzer")] } }],
  };
  script.decisions = [
    decided({
      grant: [
        { id: "o2", tokens: 12 },
        { id: "o1", tokens: 5 },
      ],
    }),
    goOn,
  ];
  const done = await run({ ...mission, context: { budget: { tokens: 60 } } });
  const first = promptsWith("Decide what follows")[0] ?? "";
  expect(first).toContain("of its budget of 19"); // 58 tokens are left, and each squad and the commander get a third
  expect(first).toContain('\\"resource\\":\\"tokens\\"');
  expect(done.decisions[0]).toMatchObject({ changes: ["o2: resources granted"], refused: ["o1: not tried again, because it is done"] });
  expect(done.reports).toMatchObject({ o1: { status: "done" }, o2: { status: "done", needs: [] } });
  expect(promptsWith("Split this task").at(-1)).toContain("of 10 steps done");
  expect(spentBy(done, one)).toBe(8);
  expect(spentBy(done, two)).toBe(20 + 8); // one call exceeds the share, and the second try costs four calls
});

const clerk = { name: "clerk", role: "a clerk", tools: ["ask_human"] };
const asking = (question: string) => ({ toolCall: { id: "call_1", name: "ask_human", args: { question } } });

test("a worker's question reaches the person through two levels, and its answer goes back to the worker", async () => {
  const context = { squads: { desk: { workers: [clerk] }, shop: { workers: [clerk] } } };
  script.objectives = [{ json: { objectives: [objective("o1", "desk"), objective("o2", "shop")] } }];
  script.plans = { o1: [{ json: { steps: [step("paint", "clerk")] } }], o2: [{ json: { steps: [step("sell", "clerk")] } }] };
  script.work = { paint: [asking("Which colour?"), work()], sell: [asking("Which price?"), work()] };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run({ ...mission, context }, threadId);
  const questions = asked.__interrupt__ ?? [];
  expect(questions.map(({ value }) => value.prompt).toSorted()).toEqual(["Which colour?", "Which price?"]);
  const answers = Object.fromEntries(questions.map(({ id, value }) => [id, value.prompt === "Which colour?" ? "blue" : "a fiver"]));
  const done = await run({ command: { resume: answers } }, threadId); // the state contains the squads
  expect(done.reports).toMatchObject({ o1: { status: "done" }, o2: { status: "done" } });
  expect(promptsWith("Task: do paint").at(-1)).toContain("blue");
  expect(promptsWith("Task: do sell").at(-1)).toContain("a fiver");
  expect(promptsWith("Task: do paint").at(-1)).not.toContain("a fiver");
  expect(promptsWith("Split this task")).toHaveLength(2); // the squads did not plan again
});

test("the commander can ask a person, and decides with the answer; an unattended run is not asked", async () => {
  script.objectives = [{ json: { objectives: [objective("o1", "functional_testing")] } }];
  script.decisions = [{ json: { decision: "ask", reason: "unsure", question: "Go live?", options: ["yes", "no"] } }, goOn];
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run(mission, threadId);
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({ type: "selection", prompt: "Go live?", options: ["yes", "no"] });
  const done = await run({ command: { resume: "no" } }, threadId);
  expect(done.orders).toEqual([{ question: "Go live?", answer: "no" }]);
  expect(promptsWith("Decide what follows").at(-1)).toContain('\\"answer\\":\\"no\\"');

  script.decisions = [{ json: { decision: "ask", reason: "unsure", question: "Go live?" } }];
  const unattended = await run({ ...mission, context: { onFailures: "partial" } });
  expect(unattended).toMatchObject({ orders: [], decisions: [{ refused: ["No further question can be asked."] }] });
});

test("progress events name the squad, and clients see the answer of the commander only", async () => {
  script.objectives = [{ json: { objectives: [objective("o1", "functional_testing")] } }];
  script.told = { o1: [told({ summary: "secret" })] };
  const events: { event: string; data: unknown }[] = [];
  const streamMode = ["custom", "messages-tuple"] as ["custom", "messages-tuple"];
  for await (const chunk of client.runs.stream(null, "hierarchy", { ...mission, streamMode })) events.push(chunk);
  const custom = events.filter(({ event }) => event === "custom").map(({ data }) => data as Record<string, unknown>);
  expect(custom.filter(({ type }) => type === "step")).toMatchObject(Array(3).fill({ squad: "functional_testing", status: "success" }));
  expect(custom.find(({ type, pattern }) => type === "squad" && pattern === "hierarchy")).toMatchObject({
    objective: "o1",
    status: "done",
  });
  const spoken = events.filter(({ event }) => event.startsWith("messages")).map(({ data }) => JSON.stringify(data));
  expect(spoken.join("")).toContain("Mission ");
  expect(spoken.join("")).not.toContain("secret");
  expect(model.requests.length).toBeGreaterThan(0);
});
