// Builds the web console into dist/console, unless nothing has changed since the last build. npm runs this after an install in a checkout
// (`prepare`). Where Vite is not installed, as after `npm ci --omit=dev`, it does nothing. It must run on the machine's own Node, which may be
// older than the one in node_modules.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const source = "src/console";
const mark = "dist/console/.built-from";

const hasVite = () => {
  try {
    return Boolean(createRequire(import.meta.url).resolve("vite/package.json"));
  } catch {
    return false;
  }
};

const filesIn = (folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((file) => statSync(file).isFile());

function hashOfSources() {
  const hash = createHash("sha256");
  const files = filesIn(source);
  for (const file of ["package-lock.json", ...files.sort()]) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

if (existsSync(source) && hasVite()) {
  const hash = hashOfSources();
  if (!existsSync(mark) || readFileSync(mark, "utf8") !== hash) {
    process.env.NODE_ENV = "production"; // whatever the shell says: otherwise the build contains checks for developers
    const { build } = await import("vite");
    await build({ root: source, configFile: `${source}/vite.config.ts`, logLevel: process.argv.includes("--quiet") ? "warn" : "info" });
    for (const file of filesIn("dist/console/assets").filter((name) => /\.(js|css)$/.test(name)))
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    writeFileSync(mark, hash);
  }
}
