import { chmod, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { echoProject, makeProject, runCommand } from "../command.ts";

const manifest = { name: "agents", type: "module", dependencies: { ensemble: "file:ensemble-0.1.0.tgz", lib: "file:./lib" } };
const whole = { ...echoProject, "package.json": manifest, "package-lock.json": "{}", "ensemble-0.1.0.tgz": "", "lib/package.json": {} };

async function dockerfileOf(files: Record<string, string | object>): Promise<string> {
  const { code, stdout, stderr } = await runCommand(["dockerfile"], {}, await makeProject(files));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function failure(files: Record<string, string | object>, args = ["dockerfile"]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args, {}, await makeProject(files));
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  return stderr;
}

/** The condition of `find` for files and folders with these names. */
const named = (...names: string[]) => names.map((name) => `-name '${name}'`).join(" -o ");

const withKeys = (keys: object) => ({ ...whole, "langgraph.json": { ...echoProject["langgraph.json"], ...keys } });

describe("ensemble dockerfile", () => {
  test("installs the locked packages first, and keeps secrets out of the image", async () => {
    const made = await dockerfileOf({ ...withKeys({ env: "conf/prod.env" }), "conf/prod.env": "SECRET=1" });
    expect(made).toContain("FROM node:24-slim AS base");
    expect(made).toContain("COPY package.json package-lock.json ensemble-0.1.0.tgz ./\nCOPY lib/ ./lib/\nRUN npm ci --omit=dev");
    expect(made).toContain(
      `RUN find . \\( ${named("node_modules", ".git", ".ensemble", ".npmrc", ".env", ".env.*")} \\) -prune -exec rm -rf {} + \\
 && rm -f 'conf/prod.env' && mkdir -p 'conf' && touch 'conf/prod.env'`,
    );
    expect(made).toContain('ENTRYPOINT ["ensemble"]\nCMD ["start"]');
    expect(made).toContain("ENSEMBLE_CONFIG=/app/langgraph.json");
  });

  test.for([
    ["pnpm-lock.yaml", "pnpm@10.2.0", "npm install --global pnpm@10.2.0 \\\n && pnpm install --prod --frozen-lockfile"],
    ["yarn.lock", undefined, "npm install --global yarn \\\n && yarn install --production --frozen-lockfile"],
    ["bun.lockb", undefined, "npm install --global bun \\\n && bun install --production --frozen-lockfile"],
    ["bun.lock", undefined, "npm install --global bun \\\n && bun install --production --frozen-lockfile"],
  ] as const)("uses the package manager of %s", async ([lock, packageManager, commands]) => {
    const { "package-lock.json": _, ...others } = whole;
    const made = await dockerfileOf({ ...others, "package.json": { ...manifest, packageManager }, [lock]: "" });
    expect(made).toContain(`RUN ${commands}`);
    expect(made).toContain(`COPY package.json ${lock} ensemble-0.1.0.tgz ./`);
  });

  test("obeys the keys for images", async () => {
    const lines = ["RUN apt-get update && apt-get install -y git"];
    const made = await dockerfileOf(withKeys({ node_version: "22", image_distro: "bookworm", dockerfile_lines: lines }));
    expect(made).toContain("FROM node:22-bookworm-slim AS base");
    expect(made).toContain(lines[0]);
    expect(await dockerfileOf(withKeys({ base_image: "registry.example.com/node:24" }))).toContain("FROM registry.example.com/node:24 AS");
    expect(await dockerfileOf(withKeys({ base_image: "langchain/langgraphjs-api" }))).toContain("FROM node:24-slim AS");
  });

  test("a project with workspaces is copied whole before its packages are installed", async () => {
    const made = await dockerfileOf({ ...whole, "package.json": { ...manifest, workspaces: ["packages/*"] } });
    expect(made.indexOf("COPY . .")).toBeLessThan(made.indexOf("npm ci"));
    expect(made).toContain("COPY --from=project /app ./");
    expect(made).not.toContain("AS dependencies");
  });

  test("the packages are installed with the project's .npmrc, which is not in the image", async () => {
    const withRegistry = { ...whole, ".npmrc": "//registry.example.com/:_authToken=secret" };
    expect(await dockerfileOf(withRegistry)).toContain("COPY package.json package-lock.json .npmrc ensemble-0.1.0.tgz ./");
    const made = await dockerfileOf({ ...withRegistry, "package.json": { ...manifest, workspaces: ["packages/*"] } });
    const steps = [
      "COPY . .",
      named("node_modules"),
      "npm ci",
      named(".git", ".ensemble", ".npmrc", ".env", ".env.*"),
      "COPY --from=project",
    ];
    expect(steps.map((step) => made.indexOf(step)).toSorted((a, b) => a - b)).toEqual(steps.map((step) => made.indexOf(step)));
    expect(made.indexOf(steps[0] ?? "")).toBeGreaterThan(0);
    const project = await makeProject(withRegistry);
    expect((await runCommand(["dockerfile", "Dockerfile"], {}, project)).code).toBe(0);
    expect(await readFile(join(project, ".dockerignore"), "utf8")).not.toContain(".npmrc");
  });

  test("says what is wrong with a project that cannot become an image", async () => {
    expect(await failure(withKeys({ node_version: "20" }))).toContain('node_version is "20", and Ensemble needs Node 22.18 or newer');
    expect(await failure(withKeys({ node_version: "22.4" }))).toContain("Ensemble needs Node 22.18 or newer");
    expect(await failure(withKeys({ image_distro: "wolfi" }))).toContain('image_distro is "wolfi"; it should be one of debian');
    expect(await failure(echoProject)).toContain("package.json. An image is built from the folder that has both");
    expect(await failure({ ...whole, "package.json": { name: "x" } })).toContain("does not list ensemble in its dependencies");
    expect(await failure({ ...whole, "package.json": "{" })).toMatch(/package\.json is not a valid package\.json: /);
    const outside = { ...manifest, dependencies: { ensemble: "file:../ensemble-0.1.0.tgz" } };
    expect(await failure({ ...whole, "package.json": outside })).toContain("npm install ./ensemble-0.1.0.tgz");
  });

  test("refuses a file of variables outside of the project", async () => {
    const files = Object.entries(withKeys({ env: "../prod.env" })).map(([name, content]) => [`app/${name}`, content]);
    const folder = await makeProject({ "prod.env": "SECRET=1", ...Object.fromEntries(files) });
    const { code, stderr } = await runCommand(["dockerfile"], {}, join(folder, "app"));
    expect(code).toBe(1);
    expect(stderr).toContain("env names ../prod.env, which an image cannot contain");
  });

  test("writes files, and replaces only its own", async () => {
    const project = await makeProject(whole);
    expect((await runCommand(["dockerfile", "Dockerfile"], {}, project)).code).toBe(0);
    expect(await readFile(join(project, ".dockerignore"), "utf8")).toContain("**/node_modules\n");
    expect((await runCommand(["dockerfile", "Dockerfile"], {}, project)).code).toBe(0);
    await writeFile(join(project, "Dockerfile"), "FROM scratch");
    const { code, stderr } = await runCommand(["dockerfile", "Dockerfile"], {}, project);
    expect(code).toBe(1);
    expect(stderr).toContain('"ensemble dockerfile" did not write it');
    expect(await readFile(join(project, "Dockerfile"), "utf8")).toBe("FROM scratch");
  });
});

describe("ensemble build", () => {
  /** A builder that writes down what it was asked to do. */
  const builder = `#!/bin/sh
echo "$@" > "$(dirname "$0")/asked"
while [ "$1" != -f ]; do shift; done
cp "$2" "$2.dockerignore" "$(dirname "$0")"
exit \${FAILS:-0}
`;
  async function provideBuilder(name: string): Promise<{ folder: string; env: Record<string, string> }> {
    const file = join(await makeProject({ [name]: builder }), name);
    await chmod(file, 0o755);
    return { folder: dirname(file), env: { PATH: `${dirname(file)}:/bin:/usr/bin` } };
  }

  test.for([
    ["docker", "build"],
    ["podman", "build --format docker"],
  ] as const)("gives the project, the Dockerfile and further options to %s", async ([name, command]) => {
    const { folder, env } = await provideBuilder(name);
    const project = await makeProject(whole);
    const { code, stdout, stderr } = await runCommand(["build", "-t", "agents:1", "--", "--platform", "linux/arm64"], env, project);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Built agents:1.");
    expect(stdout).toContain(`${name} run --rm`);
    expect(await readFile(join(folder, "asked"), "utf8")).toMatch(
      new RegExp(`^${command} -f \\S+/Dockerfile -t agents:1 --platform linux/arm64 ${project}\n$`),
    );
    expect(await readFile(join(folder, "Dockerfile"), "utf8")).toContain("FROM node:24-slim AS base");
    expect(await readFile(join(folder, "Dockerfile.dockerignore"), "utf8")).toContain("**/.env\n");
  });

  test("says why there is no image", async () => {
    const { env } = await provideBuilder("docker");
    const run = (args: string[], more: Record<string, string>) =>
      makeProject(whole).then((project) => runCommand(args, { ...env, ...more }, project));
    expect((await run(["build"], {})).stderr).toBe("ensemble: An image needs a name: ensemble build -t my-agents\n");
    expect((await run(["build", "-t", "x"], { FAILS: "3" })).stderr).toBe("ensemble: docker build failed with exit code 3.\n");
    expect((await run(["build", "-t", "x"], { PATH: "/nowhere" })).stderr).toContain("Neither docker nor podman is installed");
  });
});
