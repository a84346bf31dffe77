import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { z } from "zod";

const Manifest = z.object({
  packageManager: z.string().optional(),
  workspaces: z.unknown().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
type Manifest = z.infer<typeof Manifest>;

interface Manager {
  name: string;
  lock: string;
  /** The command that installs exactly what the lock file lists, without packages for development. */
  install: string;
}

const managers: Manager[] = [
  { name: "pnpm", lock: "pnpm-lock.yaml", install: "pnpm install --prod --frozen-lockfile" },
  { name: "yarn", lock: "yarn.lock", install: "yarn install --production --frozen-lockfile" },
  { name: "bun", lock: "bun.lockb", install: "bun install --production --frozen-lockfile" },
  { name: "bun", lock: "bun.lock", install: "bun install --production --frozen-lockfile" },
  { name: "npm", lock: "package-lock.json", install: "npm ci --omit=dev" },
];
/** Files that change what a package manager installs. */
const settings = [".npmrc", ".yarnrc.yml", ".yarnrc", "pnpm-workspace.yaml", "bunfig.toml"];

/** How a project's packages are installed. */
export interface Installation {
  /** The files that the installation needs. Undefined means the whole project, because a workspace has packages in many folders. */
  files: string[] | undefined;
  commands: string[];
}

/** Finds the project's package manager, and returns how an image installs the packages. */
export async function readInstallation(root: string): Promise<Installation> {
  const manifest = await readManifest(root);
  const manager = managers.find(({ lock }) => existsSync(join(root, lock)));
  const has = (name: string) => existsSync(join(root, name));
  const files = ["package.json", ...(manager ? [manager.lock] : []), ...settings.filter(has), ...localDependenciesOf(root, manifest)];
  const { name, install } = manager ?? { name: "npm", install: "npm install --omit=dev" };
  const command = name === "yarn" && has(".yarnrc.yml") ? "yarn workspaces focus --all --production" : install;
  return {
    files: manifest.workspaces || has("pnpm-workspace.yaml") ? undefined : files,
    commands: [...(name === "npm" ? [] : [provide(name, manifest.packageManager)]), command],
  };
}

async function readManifest(root: string): Promise<Manifest> {
  const file = join(root, "package.json");
  const text = await readFile(file, "utf8").catch(() => {
    throw new Error(`There is no ${file}. An image is built from the folder that has both package.json and langgraph.json.`);
  });
  const manifest = parseManifest(file, text);
  if (!manifest.dependencies?.ensemble)
    throw new Error(
      `${file} does not list ensemble in its dependencies, so an image would not contain it. Install Ensemble in the project.`,
    );
  return manifest;
}

function parseManifest(file: string, text: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? `${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message}` : (error as Error).message;
    throw new Error(`${file} is not a valid package.json: ${reason}`);
  }
}

/** Returns the command that installs the package manager, in the version that the project names. */
function provide(name: string, packageManager: string | undefined): string {
  const [wanted, version] = packageManager?.split("+")[0]?.split("@") ?? [];
  return `npm install --global ${wanted === name && version ? `${name}@${version}` : name}`;
}

/**
 * Returns the files and folders that package.json names as `file:` dependencies. A folder's name ends with a slash. Throws for a path
 * outside of the project, because an image can contain only files of the project.
 */
function localDependenciesOf(root: string, { dependencies, optionalDependencies }: Manifest): string[] {
  return Object.entries({ ...dependencies, ...optionalDependencies }).flatMap(([name, version]) => {
    if (!version.startsWith("file:")) return [];
    const path = relative(root, resolve(root, version.slice("file:".length)));
    const isFolder = statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (!path.startsWith("..")) return [isFolder ? `${path}/` : path];
    throw new Error(
      `package.json takes ${name} from ${version.slice("file:".length)}, which is outside of the project. ` +
        `An image can only contain files of the project: copy it there, and run npm install ./${path.split(/[/\\]/).at(-1)}`,
    );
  });
}
