import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ourVersion } from "../../registry/installed.ts";
import type { Arguments } from "../arguments.ts";
import { packOurselves } from "./pack.ts";

/** The folder of the files that each new project gets. Its path is the same in a checkout and in the npm package. */
const template = fileURLToPath(new URL("../../../src/cli/new/template", import.meta.url));
/** The names of template files that get another name in a project. npm would leave out or change files whose names begin with a dot. */
const renamed = { gitignore: ".gitignore", dockerignore: ".dockerignore", "env.example": ".env.example" };
/** A folder counts as empty if it contains only these files. */
const harmless = [".git", ".gitkeep", ".DS_Store"];

/** Creates a project with one agent and one test, and prints what to do next. */
export async function newProject({ words: [directory = "."], texts }: Arguments): Promise<void> {
  const root = resolve(directory);
  await refuseUnlessEmpty(root, directory);
  const draft = await mkdtemp(join(tmpdir(), "ensemble-new-")); // copied to `root` when complete, so a failure leaves no partial project
  try {
    const name = packageName(basename(root));
    await writeProject(draft, name, texts.package ?? (await packOurselves(draft)));
    await mkdir(root, { recursive: true });
    await cp(draft, root, { recursive: true });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  explain(root);
}

async function refuseUnlessEmpty(root: string, directory: string): Promise<void> {
  const present = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Error(`${root} cannot be used: ${error.code === "ENOTDIR" ? "it is a file" : error.message}.`);
  });
  const found = present.filter((name) => !harmless.includes(name));
  if (found.length === 0) return;
  const other = directory === "." ? " Name a new folder: ensemble new my-agents." : " Name another folder.";
  throw new Error(`${root} is not empty: it has ${found.slice(0, 3).join(", ")}${found.length > 3 ? ", …" : ""}.${other}`);
}

/** Returns a valid package name that is similar to the folder's name. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" || name === "ensemble" ? "my-agents" : name; // a project named like its dependency could not import it
}

async function writeProject(root: string, name: string, ensemble: string): Promise<void> {
  await cp(template, root, { recursive: true });
  for (const [from, to] of Object.entries(renamed)) await rename(join(root, from), join(root, to));
  await cp(join(root, ".env.example"), join(root, ".env"));
  const readme = join(root, "README.md");
  await writeFile(readme, (await readFile(readme, "utf8")).replaceAll("{{name}}", name));
  await writeFile(join(root, "package.json"), `${JSON.stringify(manifest(name, ensemble), null, 2)}\n`);
}

const manifest = (name: string, ensemble: string) => ({
  name,
  private: true,
  type: "module",
  engines: { node: ">=22.18" }, // the oldest Node that runs TypeScript files without a flag
  scripts: {
    dev: "ensemble dev --open",
    start: "ensemble start",
    test: "node --test",
    check: "tsc",
  },
  dependencies: {
    "@langchain/core": ourVersion("@langchain/core"),
    "@langchain/langgraph": ourVersion("@langchain/langgraph"),
    ensemble,
    zod: ourVersion("zod"),
  },
  devDependencies: {
    "@types/node": "^24",
    typescript: "^5.9", // the service reads the types of graphs with it
  },
});

function explain(root: string): void {
  const path = relative("", root);
  const steps = [...(path === "" ? [] : [`cd ${/\s/.test(path) ? JSON.stringify(path) : path}`]), "npm install", "npm run dev"];
  console.log(`Created an agent in ${root}. Next:\n\n${steps.map((step) => `  ${step}`).join("\n")}\n
npm run dev starts the service and opens its console. README.md lists the other commands.`);
}
