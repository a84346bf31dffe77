import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeProcess, isSameProcess } from "./process-identity.ts";

/** The file `owner` names the service that uses this directory, by pid and start time: a pid alone may have been given to another. */
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

/** Takes a dead service's file away. Another that starts at the same moment may have replaced it already: then it is put back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.stale-${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false, // the other was faster with this too
  );
  if (!moved) return;
  if ((await readFile(aside, "utf8")) !== stale) await link(aside, file).catch(() => {}); // a third took its place: the write that follows finds out
  await rm(aside, { force: true });
}

/** Makes a file that is never seen half-written. Fails with EEXIST where there is one. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.draft-${process.pid}`;
  await writeFile(draft, text);
  await link(draft, file).finally(() => rm(draft, { force: true }));
}
