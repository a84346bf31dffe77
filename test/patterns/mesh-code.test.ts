import { expect, test } from "vitest";
import { type MeshOptions, mesh } from "../../graphs/index.ts";

type Member = NonNullable<MeshOptions["agents"]>[number];
interface Looked {
  board: Record<string, unknown>;
  standing: number;
  lastRound: { withheld: { by: string; reason: string }[] } | null;
}
const limits = { stageMs: 0 };
const never = { path: "round", gt: 1_000 };

/** An agent that wants to write these keys until they are on the board. */
const writing = (name: string, touches: string[], more: { priority?: number; expected?: object; value?: unknown } = {}): Member => ({
  name,
  look: (input) => {
    const { board } = input as Looked;
    const { value: _, ...intention } = more;
    return { shouldAct: touches.some((key) => board[key] === undefined), intention: `write ${touches}`, touches, ...intention };
  },
  act: () => Object.fromEntries(touches.map((key) => [key, more.value ?? name])),
});

test("agents that touch different keys act together, and one round is enough", async () => {
  const graph = mesh({ agents: [writing("a", ["x"]), writing("b", ["y"])], done: ({ board }) => Boolean(Object(board).y), limits });
  const { status, board, rounds } = await graph.invoke({ task: "t" });
  expect({ status, board }).toEqual({ status: "done", board: { x: "a", y: "b" } });
  expect(rounds).toHaveLength(1);
  expect(rounds[0]?.effects.map(({ agent, status }) => [agent, status])).toEqual([
    ["a", "success"],
    ["b", "success"],
  ]);
});

test("of two that want the same key exactly one acts: the stronger one, and else the one with the earlier name", async () => {
  const run = (agents: Member[]) => mesh({ agents, done: { path: "board.x", exists: true }, limits }).invoke({ task: "t" });
  const equal = await run([writing("zoe", ["x"]), writing("adam", ["x"])]);
  expect(equal.board).toEqual({ x: "adam" });
  expect(equal.rounds).toMatchObject([{ effects: [{ agent: "adam" }], withheld: [{ agent: "zoe", by: "adam", reason: "Both touch x." }] }]);
  const urgent = await run([writing("zoe", ["x"], { priority: 0.9 }), writing("adam", ["x"])]);
  expect(urgent.changes).toEqual([{ round: 1, key: "x", value: "zoe", by: "zoe" }]);
});

test("if all object to all, one acts in each round, so that nobody waits for ever", async () => {
  const names = ["a", "b", "c", "d"];
  const agents = names.map(
    (name): Member => ({
      ...writing(name, [name]),
      name,
      look: (input) => ({ shouldAct: (input as Looked).board[name] === undefined, intention: "mine", touches: [name] }),
      act: () => name,
      object: () => ({
        objections: names.filter((other) => other !== name).map((against) => ({ against, reason: "no", severity: "block" })),
      }),
    }),
  );
  const { board, rounds, status } = await mesh({ agents, done: { path: "board.d", exists: true }, limits }).invoke({ task: "t" });
  // Agents that have acted no longer want to act. Their standing is not higher than the strength of the others' intentions.
  expect(status).toBe("done");
  expect(board).toEqual({ a: "a", b: "b", c: "c", d: "d" });
  expect(rounds.map(({ effects }) => effects.map(({ agent }) => agent))).toEqual([["a"], ["b"], ["c"], ["d"]]);
});

test("a blocked agent is told why, and may amend its intention in the next round", async () => {
  const seen: unknown[] = [];
  const keeper: Member = {
    name: "keeper",
    look: () => ({ shouldAct: false, intention: "", touches: [] }),
    object: (input) => ({
      objections: Object(input).intentions.flatMap(({ agent, touches }: { agent: string; touches: string[] }) =>
        touches.includes("x") ? [{ against: agent, reason: "x is frozen", severity: "block" }] : [],
      ),
    }),
    act: () => null,
  };
  const eager: Member = {
    name: "eager",
    look: (input) => {
      const { withheld = [] } = (input as Looked).lastRound ?? {};
      seen.push(withheld);
      return { shouldAct: true, intention: "write", touches: [withheld.length > 0 ? "y" : "x"], priority: 0.1 };
    },
    act: () => "done",
  };
  const { board, rounds } = await mesh({ agents: [keeper, eager], done: { path: "board.y", exists: true }, limits }).invoke({ task: "t" });
  expect(board).toEqual({ y: "done" });
  expect(rounds[0]).toMatchObject({ effects: [], withheld: [{ agent: "eager", by: "keeper", reason: "x is frozen" }] });
  expect(seen[1]).toMatchObject([{ by: "keeper", reason: "x is frozen" }]);
});

test("a concern does not block: the agent acts and sees it", async () => {
  const acted: unknown[] = [];
  const worried: Member = {
    name: "worried",
    look: () => ({ shouldAct: false }),
    object: () => ({ objections: [{ against: "brave", reason: "slowly", severity: "concern" }] }),
    act: () => null,
  };
  const brave: Member = {
    name: "brave",
    look: () => ({ shouldAct: true, intention: "go", touches: ["x"] }),
    act: (input) => acted.push(Object(input).concerns),
  };
  await mesh({ agents: [worried, brave], done: { path: "board.x", exists: true }, limits }).invoke({ task: "t" });
  expect(acted).toEqual([[{ by: "worried", reason: "slowly" }]]);
});

test("standings move by whether expectations come true, within 0 and 1, and decide who acts", async () => {
  const agents = [
    writing("wrong", ["x"], { expected: { key: "other" } }),
    {
      ...writing("right", ["y"], { expected: { key: "y", value: "right" } }),
      look: () => ({ shouldAct: true, intention: "i", touches: ["y"], expected: { key: "z" } }),
    },
  ] as Member[];
  let n = 0;
  const counter: Member = {
    name: "counter",
    look: () => ({ shouldAct: true, intention: "count", touches: ["n"], expected: { key: "n", value: String(n + 1) } }),
    act: () => String(++n),
  };
  const { standings, rounds } = await mesh({ agents: [...agents, counter], done: never, maxRounds: 7, limits }).invoke({ task: "t" });
  expect(standings).toEqual({ wrong: 0.4, right: 0, counter: 1 });
  expect(rounds.map(({ effects }) => effects.find(({ agent }) => agent === "counter")?.expected)).toEqual(Array(7).fill(true));
});

test("an agent that acts without changing anything loses standing, so it does not keep others from a key for ever", async () => {
  const claims = (name: string, value: string): Member => ({
    name,
    look: () => ({ shouldAct: true, intention: "i", touches: ["x"] }),
    act: () => value,
  });
  const agents = [claims("a stubborn one", "old"), claims("b", "new")];
  const graph = mesh({ agents, done: { path: "board.x", is: "new" }, limits });
  const { rounds, standings } = await graph.invoke({ task: "t", board: { x: "old" } });
  expect(rounds.map(({ effects }) => effects.map(({ agent, changed }) => [agent, changed]))).toEqual([
    [["a stubborn one", []]],
    [["b", ["x"]]],
  ]);
  expect(standings).toEqual({ "a stubborn one": 0.4, b: 0.5 });
});

test("a mesh in which nobody ever acts ends after two rounds", async () => {
  const idle = (name: string): Member => ({ name, look: () => ({ shouldAct: false }), act: () => null });
  const { status, rounds, output, messages } = await mesh({ agents: [idle("a"), idle("b")], limits }).invoke({ task: "t" });
  expect({ status, output, rounds: rounds.length }).toEqual({ status: "quiescent", output: null, rounds: 2 });
  expect(messages.at(-1)?.text).toBe("Nobody acted.");
});

test("an agent that is lost in round 3 is named, and the others go on", async () => {
  let looks = 0;
  const weak: Member = {
    name: "weak",
    look: () => {
      if (++looks === 3) throw new Error("gone");
      return { shouldAct: true, intention: "w", touches: [`w${looks}`] };
    },
    act: () => "w",
  };
  let n = 0;
  const strong: Member = { name: "strong", look: () => ({ shouldAct: true, intention: "s", touches: ["n"] }), act: () => ++n };
  const { lost, errors, rounds, board, status } = await mesh({ agents: [weak, strong], done: { path: "board.n", gt: 4 }, limits }).invoke({
    task: "t",
  });
  expect({ lost, errors, status }).toEqual({ lost: ["weak"], errors: { weak: "gone" }, status: "done" });
  expect(board).toEqual({ w1: "w", w2: "w", n: 5 });
  expect(rounds.map(({ effects }) => effects.length)).toEqual([2, 2, 1, 1, 1]);
  expect(rounds[2]?.lost).toEqual(["weak"]);
  expect(looks).toBe(3);
});

test("a write to a key that was not announced is refused", async () => {
  const thief: Member = {
    name: "thief",
    look: () => ({ shouldAct: true, intention: "i", touches: ["a", "b"] }),
    act: () => ({ a: 1, c: 2 }),
  };
  const { board, rounds } = await mesh({ agents: [thief, writing("z", ["q"])], done: { path: "board.a", exists: true }, limits }).invoke({
    task: "t",
  });
  expect(board).toEqual({ a: 1, q: "z" });
  expect(rounds[0]?.effects[0]).toMatchObject({ agent: "thief", changed: ["a"], refused: ["c"] });
});

test("twenty agents work in waves of at most eight, and all intentions are known before anybody acts", async () => {
  let acted = 0;
  let looked = 0;
  let atOnce = 0;
  let most = 0;
  const agents = Array.from(
    { length: 20 },
    (_, index): Member => ({
      name: `agent ${index + 10}`,
      look: async () => {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce--;
        expect(acted).toBe(0);
        looked++;
        return { shouldAct: true, intention: "i", touches: [`k${index}`] };
      },
      act: () => {
        expect(looked).toBe(20);
        return ++acted;
      },
    }),
  );
  const { board } = await mesh({ agents, done: { path: "round", gt: 0 }, limits }).invoke({ task: "t" });
  expect(Object.keys(board)).toHaveLength(20);
  expect(most).toBeLessThanOrEqual(8);
});
