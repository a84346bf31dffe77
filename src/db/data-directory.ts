import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/**
 * Creates the data directory and returns its absolute path. Writes a `.gitignore` into a new directory, so that nobody commits the data. An
 * existing directory gets this file only if the directory's name is `.ensemble`, because any other directory may belong to the user.
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
