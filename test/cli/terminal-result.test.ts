import { expect, test } from "vitest";
import { showResult } from "../../src/cli/terminal/result.ts";
import { openScreen } from "../../src/cli/terminal/screen.ts";

/** Returns what a terminal shows of a result after the given text was streamed. */
function shown(values: object, streamed = ""): string {
  let text = "";
  const write = (piece: string) => {
    text += piece;
  };
  const screen = openScreen({ write } as never, {});
  showResult(screen, values, (said) => said === streamed);
  return text.trim();
}

test("an answer that was streamed is not shown again", () => {
  expect(shown({ answer: "Two." })).toBe("Two.");
  expect(shown({ answer: "Two." }, "Two.")).toBe("");
  expect(shown({ messages: [{ content: "Two." }] }, "Two.")).toBe("");
});

test("a report is shown without the summary that was streamed", () => {
  const report = { executiveSummary: "All seen.", gaps: ["one"] };
  expect(shown({ report })).toContain("All seen.");
  expect(shown({ report }, "All seen.")).not.toContain("All seen.");
  expect(shown({ report }, "All seen.")).toContain("one");
});
