import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Event {
  seq: number;
  type: string;
  from: string;
  payload: unknown;
  causedBy: number[];
  correlationId: string;
  depth: number;
}
interface Choreography {
  status: string;
  output: unknown;
  events: Event[];
  unheard: string[];
  exhausted: string[];
  errors: Record<string, string>;
  warnings: string[];
  chain: number[];
  ledger: { agent: string }[];
  messages: { type: string; content: string }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "choreography", { input, context } as object) as Promise<unknown> as Promise<Choreography>;
const typesIn = ({ events }: Choreography) => events.map(({ type }) => type);
const listener = (name: string, on: unknown, more: object = {}) => ({ name, on, do: { task: `do ${name}` }, ...more });

/** Answers as the usual testers would, with the given risk of the issue. */
function answerAsTesters(risk: "low" | "high", verdicts = ["VALIDATION_COMPLETE"]): void {
  const issue = "The password is in the log";
  model.respond((messages) => {
    if (messages.includes("Find the most serious")) return { json: { event: "ISSUE_FOUND", payload: { issue, place: "app.log" } } };
    if (messages.includes("Is this problem real")) {
      return { json: { event: "ISSUE_CONFIRMED", payload: { issue, risk, reason: "It is there." } } };
    }
    if (messages.includes("Propose a change")) return { json: { issue, fix: "Do not log it" } };
    if (messages.includes("Does this change repair")) {
      const event = verdicts.length > 1 ? verdicts.shift() : verdicts[0];
      return { json: { event, payload: { issue, risk: "low", reason: "checked" } } };
    }
    return { tokens: messages.includes("for the log") ? ["Logged."] : ["Found and ", "repaired."] };
  });
}

test("with nothing but a task, testers find, confirm, repair and report, and one id runs through the whole chain", async () => {
  answerAsTesters("high");
  const result = await run({ task: "Check the log" });
  expect(typesIn(result)).toEqual([
    "START_TESTING",
    "ISSUE_FOUND",
    "ISSUE_CONFIRMED",
    "FIX_ATTEMPTED",
    "VALIDATION_COMPLETE",
    "REPORT_WRITTEN",
  ]);
  expect(result).toMatchObject({ status: "quiescent", output: "Found and repaired.", unheard: ["REPORT_WRITTEN"], exhausted: [] });
  expect(new Set(result.events.map(({ correlationId }) => correlationId)).size).toBe(1);
  expect(result.events.map(({ causedBy }) => causedBy)).toEqual([[], [1], [2], [3], [4], [5]]);
  expect(result.messages.map(({ content }) => content)).toEqual(["Check the log", "Found and repaired."]);
  expect(result.ledger.map(({ agent }) => agent)).toEqual(["scout", "validator", "healer", "validator", "reporter"]);
});
