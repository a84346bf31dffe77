import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arguments } from "../arguments.ts";
import { dockerignore, makeImage } from "./dockerfile.ts";

/** Builds an image of the project with Docker, or with Podman if Docker is not installed. `words` holds further options for the builder. */
export async function build({ words, texts: { tag } }: Arguments): Promise<void> {
  if (!tag) throw new Error("An image needs a name: ensemble build -t my-agents");
  const { root, dockerfile } = await makeImage();
  const folder = await mkdtemp(join(tmpdir(), "ensemble-build-"));
  try {
    const file = join(folder, "Dockerfile");
    await writeFile(file, dockerfile);
    // An ignore file next to the Dockerfile takes precedence over the project's own .dockerignore. Ensemble therefore writes an ignore file
    // only if the project has no .dockerignore.
    if (!existsSync(join(root, ".dockerignore"))) await writeFile(`${file}.dockerignore`, dockerignore);
    const builder = await runBuilder(["-f", file, "-t", tag, ...words, root]);
    explain(builder, tag);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function explain(builder: string, tag: string): void {
  console.log(`\nBuilt ${tag}. Migrate the database, then start the image:
  ${builder} run --rm -e DATABASE_URL=… ${tag} migrate
  ${builder} run -p 127.0.0.1:2024:2024 -e DATABASE_URL=… -e ENSEMBLE_API_KEYS=… ${tag}`);
}

/** The commands that build an image. Podman gets `--format docker`, because its default image format cannot contain a health check. */
const builders = [
  ["docker", "build"],
  ["podman", "build", "--format", "docker"],
] as const;

/** Builds the image with the first builder that is installed, and returns the builder's name. */
async function runBuilder(args: string[]): Promise<string> {
  for (const [builder, ...command] of builders) {
    const code = await run(builder, [...command, ...args]);
    if (code === 0) return builder;
    if (code !== undefined) throw new Error(`${builder} build failed with exit code ${code}.`);
  }
  throw new Error('Neither docker nor podman is installed. "ensemble dockerfile Dockerfile" writes the Dockerfile for another builder.');
}

/** Runs a program in the terminal. Returns its exit code, or undefined if the program is not installed. */
async function run(program: string, args: string[]): Promise<number | undefined> {
  const child = spawn(program, args, { stdio: "inherit" });
  try {
    const [code] = await once(child, "exit");
    return code ?? 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
