/** The functions that close what the current test file has opened. The test files of a process run one after another. */
const open: (() => unknown)[] = [];

/**
 * Calls `close` after the test file. Helpers need this, because Vitest drops an `afterAll` that is called while a test runs. A service
 * would then stay open, and busy, until all files are done.
 */
export function afterFile(close: () => unknown): void {
  open.push(close);
}

/** Calls all closers in reverse order. If one fails, the others are still called. */
export async function closeFile(): Promise<void> {
  const errors: unknown[] = [];
  for (const close of open.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `After the file: ${errors.map(String).join("; ")}`);
}
