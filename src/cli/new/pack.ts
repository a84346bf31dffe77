import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { version } from "../../version.ts";

const run = promisify(execFile);
const packageRoot = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Packs this installation of Ensemble into a tarball in `folder`, and returns the `file:` dependency for package.json. The new project can
 * then be installed and built into an image, although Ensemble is not on npm. In a checkout, builds the package first.
 */
export async function packOurselves(folder: string): Promise<string> {
  const isCheckout = existsSync(`${packageRoot}/tsconfig.build.json`);
  if (isCheckout) console.log("Building the package of this checkout. This takes about a minute.");
  const options = isCheckout ? [] : ["--ignore-scripts"]; // an installed package is built already, and lacks what a build needs
  await npm(["pack", "--silent", "--pack-destination", folder, ...options]).catch((error: Error & { stderr?: string }) => {
    throw new Error(`npm could not pack Ensemble: ${(error.stderr || error.message).trim().split("\n").at(-1)}`);
  });
  return `file:ensemble-${version}.tgz`;
}

/** Runs npm. If npm started this process, uses the same npm and the same Node. */
function npm(args: string[]): Promise<unknown> {
  const { npm_execpath: program } = process.env;
  const [file, first] = program?.endsWith("npm-cli.js") ? [process.execPath, [program]] : ["npm", []];
  return run(file, [...first, ...args], { cwd: packageRoot, shell: file === "npm" && process.platform === "win32" });
}
