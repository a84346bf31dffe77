import { expect, test } from "vitest";
import {
  decided,
  everyWorker,
  finding,
  goOn,
  mission,
  objective,
  script,
  squadNames,
  startCommand,
  step,
  three,
  told,
  work,
} from "./command.ts";

const { client, promptsWith, run } = await startCommand();

test("three squads of three workers pursue objectives, and report to the commander without the work below", async () => {
  script.objectives = three();
  script.work = { o1_ui_tester: [work(finding("login", "hash passwords"))] };
  const done = await run(mission);
  expect(Object.values(done.reports).map(({ squad, status }) => [squad, status])).toEqual(squadNames.map((name) => [name, "done"]));
  expect(done.reports.o1?.findings).toMatchObject([{ recommendation: "hash passwords" }]);
  expect(done.report).toMatchObject({ executiveSummary: "Mission done.", gaps: [], recommendations: ["hash passwords"] });
  expect(done.messages.map(({ type, content }) => [type, content])).toEqual([
    ["human", "Test the shop"],
    ["ai", "Mission done."],
  ]);
  for (const squad of squadNames) expect(done.ledger.filter(({ agent }) => agent.startsWith(`${squad}/`))).toHaveLength(6);
  // a strategy, three squads with a plan, three steps, a review and a report each, a decision, and an answer
  expect(done.ledger).toHaveLength(21);
  expect(promptsWith("Write the report")[0]).not.toContain('\\"seen\\"');
});

test("an objective gets the reports that it depends on, and neither the mission's conversation nor other objectives", async () => {
  const [one, two, last] = squadNames as [string, string, string];
  script.objectives = [{ json: { objectives: [objective("o1", one), objective("o2", two), objective("o3", last, "o1")] } }];
  script.told = { o1: [told({ summary: "one is fine" })], o2: [told({ summary: "two is fine" })] };
  await run({
    input: {
      messages: [
        { role: "user", content: "Remember: 4711" },
        { role: "user", content: "Test the shop" },
      ],
    },
  });
  const planned = promptsWith("Split this task into steps for the team: reach o3")[0];
  expect(planned).toContain("one is fine");
  expect(planned).toContain("It is done when: o3 holds");
  for (const foreign of ["two is fine", "4711", "reach o1", "Test the shop"]) expect(planned).not.toContain(foreign);
});

test("a strategy that cannot be carried out goes back once with the reasons, and a second one ends the run", async () => {
  const bad = { json: { objectives: [objective("o1", "nobody"), objective("o2", "security_testing", "o2")] } };
  script.objectives = [bad, ...three()];
  expect((await run(mission)).objectives).toHaveLength(3);
  expect(promptsWith("Your plan before could not")[0]).toContain("nobody");
  script.objectives = [bad];
  await expect(run(mission)).rejects.toThrow("No plan that can be carried out");
});

test("a squad that fails wholly harms no other; another squad takes over, or its objective is named as missing", async () => {
  const [one, two] = squadNames as [string, string];
  script.objectives = [{ json: { objectives: [objective("o1", one), objective("o2", two), objective("o3", one, "o2")] } }];
  script.plans = { o2: [{ status: 400 }, everyWorker("o2", "security_testing")] };
  script.decisions = [decided({ reassign: [{ id: "o2", squad: "security_testing" }] }), goOn];
  const moved = await run(mission);
  expect(moved.reports).toMatchObject({
    o1: { status: "done" },
    o2: { status: "done", squad: "security_testing" },
    o3: { status: "done" },
  });
  expect(moved.decisions[0]).toMatchObject({ changes: ["o2: reassigned to security_testing"], refused: [] });

  script.plans = { o2: [{ status: 400 }] };
  script.decisions = [goOn];
  const lost = await run(mission);
  expect(lost.reports).toMatchObject({ o1: { status: "done" }, o2: { status: "failed", escalations: [expect.stringContaining("400")] } });
  expect(lost.report.gaps).toEqual([expect.stringMatching(/^o2 /), expect.stringContaining("because o2 did not succeed")]);
  const [failed] = lost.ledger.filter(({ agent }) => agent.startsWith(`${two}/`));
  expect(failed).toMatchObject({ outcome: "failed" });
});

test("a squad stops after three failed steps and escalates; its findings before that are kept", async () => {
  const squad = "functional_testing";
  script.objectives = [{ json: { objectives: [objective("o1", squad)] } }];
  script.plans = { o1: [{ json: { steps: ["a", "b", "c", "d"].map((id) => step(id, "ui_tester")) } }] };
  script.work = { a: [work(finding("login", "hash"))], b: [{ status: 400 }], c: [{ status: 400 }], d: [{ status: 400 }] };
  const { reports, decisions } = await run(mission);
  expect(reports.o1).toMatchObject({ status: "partial", findings: [{ subject: "login" }] });
  expect(reports.o1?.escalations).toHaveLength(3);
  expect(promptsWith("Decide what follows")[0]).toContain("b (do b)");
  expect(decisions).toMatchObject([{ decision: "continue" }]);
});

test("three failed objectives stop the work and ask; an unattended caller gets what there is", async () => {
  const objectives = ["o1", "o2", "o3", "o4"].map((id, index) => objective(id, squadNames[index % 3] as string));
  script.objectives = [{ json: { objectives } }];
  script.plans = { o1: [{ status: 400 }], o2: [{ status: 400 }], o3: [{ status: 400 }] };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run(mission, threadId);
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({
    prompt: expect.stringContaining("0 of 4 done; failed: o1 ("),
    options: ["retry", "adjust", "accept"],
  });
  script.plans = {};
  const done = await run({ command: { resume: "retry" } }, threadId);
  expect(Object.values(done.reports).map(({ status }) => status)).toEqual(["done", "done", "done", "done"]);

  script.plans = { o1: [{ status: 400 }], o2: [{ status: 400 }], o3: [{ status: 400 }] };
  await expect(run({ ...mission, context: { onFailures: "partial" } })).rejects.toThrow("No step succeeded: o1");
});

test("contradicting findings of two squads are ruled on by the commander, and the losing view stays", async () => {
  const [one, two] = squadNames as [string, string];
  script.objectives = [{ json: { objectives: [objective("o1", one), objective("o2", two)] } }];
  script.work = {
    o1_ui_tester: [work(finding("Database", "scale out", 0.9))],
    o2_analyzer: [work(finding("database", "add an index", 0.6))],
  };
  script.others = [{ json: { winner: "add an index", reason: "cheaper", confidence: 0.8 } }];
  const { settlements, report } = await run(mission);
  expect(settlements).toMatchObject([{ by: "arbitration", winner: { agent: two }, losers: [{ agent: one }] }]);
  expect(report.recommendations).toEqual(["add an index"]);
  expect(promptsWith("contradict each other")[0]).toContain("You are the commander");
});

test("the commander adds and aborts objectives, and what it may not change is named", async () => {
  const [one, two, last] = squadNames as [string, string, string];
  script.objectives = [{ json: { objectives: [objective("o1", one), objective("o2", two, "o1"), objective("o3", last, "o2")] } }];
  script.told = { o1: [told({ done: false, escalations: ["There is no shop."] })] };
  const abort = [{ id: "o2", reason: "no shop" }];
  script.decisions = [decided({ abort, add: [objective("o4", last, "o1"), objective("o5", "nobody")] }), goOn];
  const { reports, report, decisions, objectives } = await run(mission);
  expect(Object.keys(reports)).toEqual(["o1", "o4"]);
  expect(objectives.map(({ id }) => id)).toEqual(["o1", "o2", "o3", "o4"]);
  expect(decisions[0]).toMatchObject({
    changes: ["o4: added", "o2: aborted: no shop", "o3: skipped, because o2 was aborted"],
    refused: [expect.stringContaining("nobody")],
  });
  expect(report.gaps.map((gap) => gap.slice(0, 2))).toEqual(["o2", "o3"]);
});

test("a second run of a thread begins anew, and ends differently", async () => {
  const { thread_id: threadId } = await client.threads.create();
  script.objectives = [{ json: { objectives: [objective("o1", "functional_testing")] } }];
  await run(mission, threadId);
  script.told = { o1: [told({ summary: "reached again" })] };
  const second = await run(mission, threadId);
  expect(second.reports).toMatchObject({ o1: { summary: "reached again" } });
  expect(second.decisions).toHaveLength(1);
  expect(second.ledger).toHaveLength(9);
});

test("a fork from before a decision ends differently, and the first result stays", async () => {
  const { thread_id: threadId } = await client.threads.create();
  script.objectives = [{ json: { objectives: [objective("o1", "functional_testing")] } }];
  expect((await run(mission, threadId)).objectives).toHaveLength(1);
  const history = await client.threads.getHistory(threadId, { limit: 50 });
  const checkpointId = history.find(({ next }) => next.includes("decide"))?.checkpoint.checkpoint_id ?? "";
  script.decisions = [decided({ add: [objective("o2", "security_testing")] }), goOn];
  expect((await run({ input: null, checkpointId }, threadId)).objectives).toHaveLength(2);
  const first = await client.threads.getState(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ objectives: [{ id: "o1" }] });
});

test("in code, squads have agents and graphs as workers, and are nodes with their names", async () => {
  const { hierarchy } = await import("../../graphs/index.ts");
  const graph = hierarchy({
    squads: {
      kitchen: { leader: { name: "chef", role: "a chef" }, workers: [{ name: "cook", role: "a cook" }] },
      squad: { workers: [{ name: "waiter", role: "a waiter" }] }, // a name that the graph itself uses
    },
    limits: { parallel: 4 },
  });
  expect(Object.keys((await graph.getGraphAsync()).nodes)).toContain("kitchen");
  script.objectives = [{ json: { objectives: [objective("o1", "kitchen"), objective("o2", "squad")] } }];
  script.plans = { o1: [{ json: { steps: [step("a", "cook")] } }], o2: [{ json: { steps: [step("b", "waiter")] } }] };
  const done = await graph.invoke({ mission: "Serve" });
  expect(done.reports).toMatchObject({ o1: { status: "done", squad: "kitchen" }, o2: { status: "done", squad: "squad" } });
  expect(promptsWith("Report to the commander").some((prompt) => prompt.includes("You are a chef"))).toBe(true);
  expect(() =>
    hierarchy({
      squads: {
        a: {
          workers: [
            { name: "x", role: "y" },
            { name: "x", role: "y" },
          ],
        },
      },
    }),
  ).toThrow("two agents");
});
