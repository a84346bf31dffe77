// Carries out a Dockerfile without a builder: each stage is a folder, and its root stands for /. Prints the folder of the last stage.
// Knows FROM, WORKDIR, ENV, COPY and RUN as `ensemble dockerfile` writes them. Usage: node run-dockerfile.mjs <Dockerfile> <context> <work>
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const [dockerfile, context, work] = process.argv.slice(2).map((path) => resolve(path));
const lines = readFileSync(dockerfile, "utf8").replaceAll("\\\n", "").split("\n").filter((line) => line && !line.startsWith("#"));
const stages = new Map();
let stage;

/** Every path of the container lies in the folder of its stage. */
const inStage = (root, path) => join(root, path.startsWith("/") ? path : join("/app", path));

function copy(words) {
  const from = words[0].startsWith("--from=") ? stages.get(words.shift().slice("--from=".length)).root : undefined;
  const to = inStage(stage.root, words.pop());
  for (const source of words) {
    const path = from ? inStage(from, source) : join(context, source);
    // A builder copies a file into a folder, and the content of a folder.
    cpSync(path, statSync(path).isDirectory() ? to : join(to, source), { recursive: true, verbatimSymlinks: true });
  }
}

for (const line of lines) {
  const [instruction, ...words] = line.trim().split(/\s+/);
  if (instruction === "FROM") {
    const [base, , name = "last"] = words;
    const parent = stages.get(base);
    stage = { root: join(work, name), env: { ...parent?.env } };
    mkdirSync(join(stage.root, "app"), { recursive: true });
    if (parent) cpSync(parent.root, stage.root, { recursive: true });
    stages.set(name, stage);
  } else if (instruction === "ENV") for (const word of words) stage.env[word.split("=")[0]] = word.split("=").slice(1).join("=");
  else if (instruction === "COPY") copy(words);
  else if (instruction === "RUN")
    execFileSync("sh", ["-ec", line.trim().slice("RUN ".length)], {
      cwd: join(stage.root, "app"),
      env: { ...process.env, NODE_ENV: stage.env.NODE_ENV },
      stdio: ["ignore", 2, 2],
    });
}
console.log(join(stage.root, "app"));
