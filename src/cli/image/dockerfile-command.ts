import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Arguments } from "../arguments.ts";
import { dockerignore, firstLine, makeImage } from "./dockerfile.ts";

/** Prints the Dockerfile of the project, or writes it to a file. */
export async function dockerfile({ words: [name] }: Arguments): Promise<void> {
  const { root, dockerfile } = await makeImage();
  if (name === undefined) return console.log(dockerfile.trimEnd());
  const file = resolve(name);
  await refuseForeign(file);
  await writeFile(file, dockerfile);
  console.log(`Wrote ${relative("", file)}. Build the image in ${root}: docker build -f ${relative(root, file)} -t my-agents .`);
  await provideIgnoreFile(root);
}

/** Throws if the file exists and Ensemble did not write it. */
async function refuseForeign(file: string): Promise<void> {
  const present = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return firstLine;
    throw new Error(`${file} cannot be written: ${error.code === "EISDIR" ? "it is a folder" : error.message}.`);
  });
  if (!present.startsWith(firstLine))
    throw new Error(`${file} exists, and "ensemble dockerfile" did not write it. Delete it, or name another file.`);
}

/** Writes a .dockerignore if there is none. Without it, the builder would get the installed packages and the data of the embedded Postgres. */
async function provideIgnoreFile(root: string): Promise<void> {
  const file = join(root, ".dockerignore");
  if (existsSync(file)) return;
  await writeFile(file, dockerignore);
  console.log(`Wrote ${relative("", file)}, which keeps node_modules and .env out of the image.`);
}
