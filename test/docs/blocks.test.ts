import { afterAll, expect, test } from "vitest";
import { kindOf, readPages, splitPage } from "./pages.ts";
import { checkTypes, openProject } from "./project.ts";

const pages = readPages().map((page) => ({ path: page.path, blocks: splitPage(page).blocks }));
const blocks = pages.flatMap((page) => page.blocks);
/** Undefined where the info string is unknown: a test of its own says so. */
const kinds = new Map(blocks.map((block) => [block, tryKind(block)]));

function tryKind(block: (typeof blocks)[number]) {
  try {
    return kindOf(block);
  } catch {
    return undefined;
  }
}

test("every block says what it is", () => {
  for (const block of blocks) kindOf(block);
});

test("fragments of JSON are JSON", () => {
  for (const block of blocks.filter((block) => block.language === "json")) {
    expect(() => JSON.parse(block.code), `${block.page}:${block.line}`).not.toThrow();
  }
});

test("fragments that are checked have the right types", async () => {
  expect(await checkTypes(blocks.filter((block) => kinds.get(block) === "check"))).toBe("");
});

const executable = pages
  .map(({ path, blocks }) => ({
    path,
    files: blocks.filter((block) => kinds.get(block) === "file"),
    steps: blocks.filter((block) => ["shell", "run"].includes(kinds.get(block) ?? "")),
  }))
  .filter(({ steps }) => steps.length > 0);

test.for(executable)("the examples of $path work", { timeout: 300_000 }, async ({ files, steps }) => {
  const project = await openProject(files);
  try {
    for (const block of steps) await project.runBlock(block);
  } finally {
    await project.stop();
  }
});

afterAll(() => {
  const skipped = blocks.filter((block) => kinds.get(block) === "norun");
  console.log(`${skipped.length} of ${blocks.length} blocks are not run: ${skipped.map(({ page, line }) => `${page}:${line}`).join(" ")}`);
});
