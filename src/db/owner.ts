import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeProcess, isSameProcess } from "./process-identity.ts";

/**
 * Claims the data directory for this process, and returns a function that releases it. The file `owner` in the directory contains the pid
 * and the start time of the process. The pid alone is not enough, because the system may reuse it.
 */
export async function claimOwnership(home: string): Promise<() => Promise<void>> {
  const file = join(home, "owner");
  const written = await readFile(file, "utf8").catch(() => undefined);
  if (written !== undefined) {
    if (await isSameProcess(written)) {
      const [pid] = written.split(" ");
      throw new Error(
        `The data directory ${home} is in use by another Ensemble (process ${pid}). Stop it, or set ENSEMBLE_DATA_DIR or DATABASE_URL.`,
      );
    }
    await removeStale(file, written);
  }
  await writeWhole(file, await describeProcess(process.pid)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    throw new Error(`The data directory ${home} is being taken by another Ensemble that started at the same moment.`);
  });
  return () => rm(file, { force: true });
}

/**
 * Removes the file `owner` that a dead service has left behind. If another service has already replaced the file by its own, restores that
 * service's file.
 */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.stale-${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false, // another service has already moved the file away
  );
  if (!moved) return;
  // If the moved file belongs to a running service, it is put back. This fails if a third service has meanwhile written its own file.
  // `claimOwnership` then cannot write its file either, and throws an error about that.
  if ((await readFile(aside, "utf8")) !== stale) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

/** Writes a file so that no reader ever sees only a part of its content. Fails with EEXIST if the file exists. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.draft-${process.pid}`;
  await writeFile(draft, text);
  await link(draft, file).finally(() => rm(draft, { force: true }));
}
