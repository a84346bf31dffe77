import { test } from "vitest";
import { type Block, type Kind, kindOf, readPages, splitPage } from "./pages.ts";
import { openProject } from "./project.ts";

/** Every block of the documentation. */
export const blocks = readPages().flatMap((page) => splitPage(page).blocks);

/** Blocks whose info string is unknown are of no kind. A test of its own fails for them. */
export const ofKind = (...kinds: Kind[]): Block[] => blocks.filter((block) => kinds.some((kind) => isOfKind(block, kind)));

function isOfKind(block: Block, kind: Kind): boolean {
  try {
    return kindOf(block) === kind;
  } catch {
    return false;
  }
}

/** Runs the examples of these pages, one page a test. They are in several files, which run side by side. */
export function testExamples(isMine: (page: string) => boolean): void {
  const steps = Map.groupBy(
    ofKind("shell", "run").filter(({ page }) => isMine(page)),
    ({ page }) => page,
  );
  test.for([...steps])("the examples of %s work", { timeout: 300_000 }, async ([page, steps]) => {
    const project = await openProject(ofKind("file").filter((block) => block.page === page));
    try {
      for (const block of steps) await project.runBlock(block);
    } finally {
      await project.stop();
    }
  });
}
