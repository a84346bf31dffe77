import { test } from "vitest";
import { type Block, type Kind, kindOf, readPages, splitPage } from "./pages.ts";
import { openProject } from "./project.ts";

/** Every code block of the documentation. */
export const blocks = readPages().flatMap((page) => splitPage(page).blocks);

/** Returns the blocks of these kinds. A block with an unknown info string has no kind, and another test fails for it. */
export const ofKind = (...kinds: Kind[]): Block[] => blocks.filter((block) => kinds.some((kind) => isOfKind(block, kind)));

function isOfKind(block: Block, kind: Kind): boolean {
  try {
    return kindOf(block) === kind;
  } catch {
    return false;
  }
}

/**
 * Tests the examples of some pages, with one test for each page. The pages are divided over several test files, which run at the same time.
 */
export function testExamples(isMine: (page: string) => boolean): void {
  const steps = Map.groupBy(
    ofKind("shell", "run").filter(({ page }) => isMine(page)),
    ({ page }) => page,
  );
  test.for([...steps])("the examples of %s work", { timeout: 300_000 }, async ([page, steps]) => {
    const files = ofKind("file").filter((block) => block.page === page);
    const project = await openProject(files, steps);
    try {
      for (const block of steps) await project.runBlock(block);
    } finally {
      await project.stop();
    }
  });
}
