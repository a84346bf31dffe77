/** Closers of everything that the current test file has opened. The files of a process run one after another. */
const open: (() => unknown)[] = [];

/**
 * Closes something when the test file is done. For helpers: Vitest drops an `afterAll` that is called while a test runs, and with
 * it a service stays open, and busy, until all files are done.
 */
export function afterFile(close: () => unknown): void {
  open.push(close);
}

/** Closes everything, last opened first, also past one that fails. */
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
