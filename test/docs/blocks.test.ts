import { afterAll, expect, test } from "vitest";
import { blocks, ofKind, testExamples } from "./examples.ts";
import { kindOf } from "./pages.ts";
import { checkTypes } from "./project.ts";

test("every block says what it is", () => {
  for (const block of blocks) kindOf(block);
});

test("fragments of JSON are JSON", () => {
  for (const block of blocks.filter((block) => block.language === "json")) {
    expect(() => JSON.parse(block.code), `${block.page}:${block.line}`).not.toThrow();
  }
});

test("fragments that are checked have the right types", async () => {
  expect(await checkTypes(ofKind("check"))).toBe("");
}, 600_000);

testExamples((page) => !page.startsWith("docs/guides/") && !page.startsWith("docs/patterns/"));

afterAll(() => {
  const skipped = ofKind("norun");
  console.log(`${skipped.length} of ${blocks.length} blocks are not run: ${skipped.map(({ page, line }) => `${page}:${line}`).join(" ")}`);
});
