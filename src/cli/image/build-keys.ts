import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { z } from "zod";

/**
 * The keys of langgraph.json that Ensemble uses to build an image. It ignores other image keys, which are for Python or for the official
 * base image.
 */
const BuildKeys = z.object({
  node_version: z.union([z.string(), z.number()]).optional(),
  image_distro: z.string().optional(),
  base_image: z.string().optional(),
  dockerfile_lines: z.array(z.string()).optional(),
  env: z.unknown().optional(),
});

const defaultNode = 24;
/** The oldest Node that runs the service: the major and the minor version. */
const oldestNode = [22, 18] as const;
/** The tag suffixes of the official Node images, by the value of `image_distro`. */
const distributions: Record<string, string> = {
  debian: "slim",
  bookworm: "bookworm-slim",
  bullseye: "bullseye-slim",
  trixie: "trixie-slim",
};

export interface ImageOptions {
  baseImage: string;
  /** The user's own Dockerfile lines, for example to install system packages. */
  lines: string[];
  /** The path of the project's environment file, relative to the project file. Undefined if the project names no such file. */
  envFile: string | undefined;
}

/** Reads the keys for images from the project file. Throws if a key asks for an image that cannot run the service. */
export async function readImageOptions(file: string): Promise<ImageOptions> {
  const parsed = BuildKeys.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new Error(`${file}: ${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}.`);
  const { base_image, dockerfile_lines = [], env, ...keys } = parsed.data;
  const isOfficial = base_image?.startsWith("langchain/") ?? false; // these images contain another server
  return {
    baseImage: base_image === undefined || isOfficial ? nodeImage(file, keys) : base_image,
    lines: dockerfile_lines,
    envFile: typeof env === "string" ? inProject(file, env) : undefined,
  };
}

/**
 * Returns the path of the environment file, relative to the project. Throws if this file is outside of the project, because an image
 * contains only the project's folder.
 */
function inProject(file: string, env: string): string {
  const path = relative(dirname(file), resolve(dirname(file), env));
  if (!path.startsWith("..") && !path.includes("'")) return path;
  throw new Error(`${file}: env names ${env}, which an image cannot contain. Put the file into the folder of langgraph.json.`);
}

function nodeImage(file: string, { node_version = defaultNode, image_distro = "debian" }: z.infer<typeof BuildKeys>): string {
  const version = String(node_version);
  const [major = 0, minor = Infinity] = version.split(".").map(Number);
  if (!(major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])))
    throw new Error(`${file}: node_version is "${version}", and Ensemble needs Node 22.18 or newer. Set it to "${defaultNode}".`);
  const ending = distributions[image_distro];
  if (!ending) {
    const known = Object.keys(distributions).join(", ");
    throw new Error(
      `${file}: image_distro is "${image_distro}"; it should be one of ${known}. Set base_image to use another image with Node.`,
    );
  }
  return `node:${version}-${ending}`;
}
