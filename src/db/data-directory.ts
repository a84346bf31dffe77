import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/**
 * Makes the data directory and returns its absolute path. A directory of our own also gets a `.gitignore`, so that no repository takes the
 * data. A directory that somebody else made and named gets none.
 */
export async function makeDataDirectory(path: string): Promise<string> {
  const home = resolve(path);
  const made = await mkdir(home, { recursive: true });
  if (made !== undefined || basename(home) === ".ensemble") {
    await writeFile(join(home, ".gitignore"), "*\n", { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
  return home;
}
