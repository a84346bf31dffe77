import { expect, test } from "vitest";
import { openScreen, type Screen } from "../../src/cli/terminal/screen.ts";
import { readableView } from "../../src/cli/terminal/view.ts";
import { openFakeTerminal } from "../fake-terminal.ts";

const scenarios = ["simple", "medium", "complex"].map((name, index) => ({ name, difficulty: "easy", items: 100 * (index + 1) }));
const custom = (type: string, details: object) => ({ event: "custom", data: { type, pattern: "scenario", elapsedMs: 1_200, ...details } });
const plan = custom("plan", { skill: "data-transformation", mode: "milestone", scenarios });
const batch = custom("batch", {
  scenario: "medium",
  status: "running",
  percent: 50,
  items: 100,
  totalItems: 200,
  quality: 0.925,
  batch: 2,
});
const sync = custom("sync", {
  milestone: 30,
  waits: [
    { scenario: "simple", percent: 30, waitedMs: 2_500, arrived: true },
    { scenario: "complex", percent: 12, waitedMs: 0, arrived: false },
  ],
});
const lockstep = custom("sync", { milestone: 100, waits: [{ scenario: "simple", percent: 20, waitedMs: 1_000, arrived: true }] });
const done = custom("state", { scenario: "simple", from: "running", to: "complete", reason: null });
const inBatch = { event: "updates|run:0b0e", data: { batch: {} } };
const token = (content: string, node = "speak", id = "m1") => ({
  event: `messages|${node}:1`,
  data: [
    { id, type: "ai", content },
    { langgraph_node: node, langgraph_checkpoint_ns: `${node}:1` },
  ],
});

function show(parts: { event: string; data: unknown }[], env: NodeJS.ProcessEnv = {}) {
  const terminal = openFakeTerminal();
  const view = readableView(openScreen(terminal, env));
  for (const part of parts) view.part(part);
  return { terminal, view };
}

test("on a terminal three bars are drawn in place, and what is said meanwhile stands above them", () => {
  const { terminal } = show([plan, inBatch, lockstep, batch, sync, done]);
  expect(terminal.lines).toEqual([
    "data-transformation in mode milestone: simple 100, medium 200, complex 300 items",
    "⇉ met after a batch: simple waited 1.0 s",
    "⇉ met at 30 %: simple waited 2.5 s, complex was at 12 %",
    "simple         ────────◇─────◇─────◇─────◇───   0 %      0/100     0 ms  quality    -  complete",
    "medium         ━━━━━━━━◆━━━━━◆─────◇─────◇───  50 %    100/200    1.2 s  quality 0.93  running",
    "complex        ────────◇─────◇─────◇─────◇───   0 %      0/300     0 ms  quality    -  pending",
    "",
  ]);
});

test("what comes after the picture leaves it as it is", () => {
  const { terminal, view } = show([plan, batch]);
  view.pause();
  view.values({ result: "done" });
  expect(terminal.lines.slice(-4)).toEqual([expect.stringMatching(/^complex /), "", "done", ""]);
});

test("elsewhere a milestone and a change of state is a line each, and nothing is drawn twice", () => {
  const lines: string[] = [];
  const view = readableView(openScreen({ write: (text: string) => lines.push(text) }, {}));
  const milestone = custom("milestone", { scenario: "medium", percent: 50, atMs: 900 });
  for (const part of [plan, milestone, custom("state", { scenario: "simple", from: "running", to: "paused", reason: "sync_point" })])
    view.part(part);
  for (const part of [batch, batch, milestone, done]) view.part(part);
  // the line has the figures of its batch, whether its event came before or after
  const reached = "medium: 50 % after 0.9 s, 100/200 items, quality 0.93\n";
  expect(lines.slice(1)).toEqual(["simple: running → paused (sync_point)\n", reached, reached]);
  view.pause();
  expect(lines.at(-1)).toBe("simple: running → complete\n");
});

test("tokens are printed at once on a terminal, and line by line elsewhere", () => {
  const said = [token("Hel"), token("lo\nyou")];
  expect(show(said).terminal.lines).toEqual(["speak: Hello", "you"]);
  const lines: string[] = [];
  const plain = readableView(openScreen({ write: (text: string) => lines.push(text) }, {}));
  for (const part of said) plain.part(part);
  expect(lines).toEqual(["speak: Hello\n"]);
  plain.pause();
  expect(lines).toEqual(["speak: Hello\n", "you\n"]);
});

test("the messages of models that stream at the same time are printed whole, one after another", () => {
  const parts = [token("one ", "first", "a"), token("1 ", "second", "b"), token("two", "first", "a"), token("2", "second", "b")];
  const { terminal, view } = show(parts);
  expect(terminal.lines).toEqual(["first: one two"]);
  view.part({ event: "updates", data: { first: {} } });
  view.pause();
  expect(terminal.lines).toEqual(["first: one two", "✓ first", "second: 1 2", ""]);
});

test("a sequence that comes in two pieces does nothing, and colours can be declined", () => {
  const tricks = [token("a\x1b"), token("[2Jb"), token("\x9b31mc\x07\r"), token("\u202ed")];
  expect(show(tricks).terminal.lines).toEqual(["speak: a[2Jbcd"]);
  expect(show([plan, batch], { NO_COLOR: "1" }).terminal.written).not.toContain("\x1b[36m");
  expect(show([plan, batch]).terminal.written).toContain("\x1b[36m");
});

test("a terminal without cursor control gets whole lines", () => {
  const screen: Screen = openScreen(openFakeTerminal(), { TERM: "dumb" });
  expect(screen.live).toBe(false);
});

test("a comparison needs nothing but its rows", () => {
  const { terminal, view } = show([]);
  view.values({
    report: {
      comparison: { rows: [{ label: "simple" }], scaling: "?", measures: [{}] },
      recommendation: { actions: [1] },
      gaps: ["medium: failed"],
    },
  });
  expect(terminal.lines).toEqual([
    "",
    "rank  scenario  status  items  failed  time  ms/item  quality",
    "-     simple    -       -      -       -     -        -",
    "",
    "Missing medium: failed",
    "",
  ]);
});

test.for([
  [{ answer: "42", messages: [{ content: "no" }] }, "42"],
  [
    { report: { executiveSummary: "Fine.", gaps: [], findings: { speed: ["a", "b"] } } },
    "Executive summary: Fine.\nFindings:\n  Speed:\n    - a\n    - b",
  ],
  [{ messages: [{ content: "q" }, { content: [{ type: "text", text: "a" }] }] }, "a"],
  [{ count: 1, answer: null }, '{\n  "count": 1,\n  "answer": null\n}'],
])("a result is shown in the form that tells most (%j)", ([values, shown]) => {
  const { terminal, view } = show([]);
  view.values(values);
  expect(terminal.lines.join("\n")).toBe(`\n${shown}\n`);
});

test("a message that was already streamed is not printed again", () => {
  const { terminal, view } = show([token("hello")]);
  view.pause();
  view.values({ messages: [{ content: "hello" }] });
  expect(terminal.lines).toEqual(["speak: hello", ""]);
});

test("a question says until when it can be answered", () => {
  const { terminal, view } = show([]);
  view.values({ __interrupt__: [{ id: "1", value: { type: "input", prompt: "What name?", timeoutSeconds: 30 } }] });
  expect(terminal.lines).toEqual(["", "? What name?", "  After 30 s without an answer, the run goes on by itself.", ""]);
});
