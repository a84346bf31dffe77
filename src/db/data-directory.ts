import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/**
 * Creates the data directory and returns its absolute path. A directory that this function creates, or one named `.ensemble`, also gets a
 * `.gitignore`, which keeps the data out of repositories. Other existing directories get none.
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
