import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { commands } from "../src/cli/commands.ts";
import { readConfig } from "../src/config.ts";
import { settings } from "../src/settings.ts";

/** These tests need no Docker. They compare what these files contain with the code. */
const root = new URL("../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");

const Health = z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() });
const Service = z.object({
  build: z.string().optional(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.coerce.string()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: Health,
  stop_grace_period: z.templateLiteral([z.number(), "s"]).optional(),
  deploy: z.object({ replicas: z.number() }).optional(),
});
const Compose = z.object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) });

const composeText = await read("docker-compose.yml");
const { services, volumes } = Compose.parse(parse(composeText, { merge: true }));
const ours = Object.entries(services).filter(([, service]) => service.build !== undefined);
const interpolated = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map((match) => match[1] ?? ""));
const manifest = z
  .object({ bin: z.record(z.string(), z.string()), files: z.array(z.string()), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await read("package.json")));

/** Returns the value that compose uses when no variable is set. */
const withDefaults = (value: string) => value.replace(/\$\{\w+(?::-([^}]*))?\}/g, (_, given = "") => given);
const environmentOf = ({ environment }: z.infer<typeof Service>) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, withDefaults(value)]));

describe("docker-compose.yml", () => {
  test("has a database, its migration, an API and two workers", () => {
    expect(Object.keys(services)).toEqual(["postgres", "migrate", "api", "worker"]);
    expect(services.worker?.deploy?.replicas).toBe(2);
    expect(ours.map(([name]) => name)).toEqual(["migrate", "api", "worker"]);
  });

  test.for(ours)("%s runs a command that exists, with variables that exist and values that are read", ([, service]) => {
    expect(Object.keys(commands)).toContain(service.command?.[0]);
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(Object.keys(service.environment)));
    expect(() => readConfig(environmentOf(service))).not.toThrow();
  });

  test("the API answers to the name by which the workers call it", () => {
    const { serviceUrl = "" } = readConfig(environmentOf(services.worker!));
    expect(readConfig(environmentOf(services.api!)).hosts).toContain(new URL(serviceUrl).hostname);
  });

  test("the API listens where its port is published, and on this machine only loopback is opened", () => {
    const api = readConfig(environmentOf(services.api!));
    expect(api).toMatchObject({ role: "api", host: "0.0.0.0" });
    expect(services.api?.ports.map(withDefaults)).toEqual([`127.0.0.1:${settings.PORT.parse(undefined)}:${api.port}`]);
  });

  test("workers have no port, and longer to stop than their runs have to reach a safe place", () => {
    const worker = readConfig(environmentOf(services.worker!));
    expect(worker.role).toBe("worker");
    expect(services.worker?.ports).toEqual([]);
    expect(Number.parseInt(services.worker?.stop_grace_period ?? "", 10)).toBeGreaterThan(worker.drainSeconds + 5);
  });

  test("everyone talks to the database that is made", () => {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = services.postgres?.environment ?? {};
    for (const [, service] of ours) {
      expect(service.environment.DATABASE_URL).toBe(`postgresql://${user}:${password}@postgres:5432/${database}`);
    }
    expect(services.postgres?.healthcheck.test).toEqual(expect.arrayContaining([`--username=${user}`, `--dbname=${database}`]));
  });

  test("every service that another waits for has a health check, and every volume is declared", () => {
    for (const { depends_on, volumes: mounts } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const { healthcheck } = services[name]!;
        expect(condition).toBe(healthcheck.disable ? "service_completed_successfully" : "service_healthy");
      }
      for (const mount of mounts) expect(Object.keys(volumes)).toContain(mount.split(":")[0]);
    }
  });

  test("the API and the workers are asked for their health by a command that exists", () => {
    for (const name of ["api", "worker"]) expect(services[name]?.healthcheck.test).toEqual(["CMD", "ensemble", "health"]);
    expect(Object.keys(commands)).toContain("health");
  });

  test("secrets come from the environment", () => {
    for (const { environment } of Object.values(services)) {
      for (const [name, value] of Object.entries(environment)) if (/KEY|PASSWORD/.test(name)) expect(value).toMatch(/^\$\{\w+:-\w*\}$/);
    }
  });
});

describe(".env.example", async () => {
  const example = parseEnv(await read(".env.example"));

  test("lists exactly what docker-compose.yml takes, and every variable is ours or the database image's", () => {
    expect(Object.keys(example).sort()).toEqual([...interpolated].sort());
    expect([...Object.keys(settings), "POSTGRES_PASSWORD"]).toEqual(expect.arrayContaining(Object.keys(example)));
  });

  test("works unchanged, with the default port", () => {
    expect(readConfig(example)).toEqual({ ...readConfig({}), portIsSet: true });
  });
});

describe("Dockerfile", async () => {
  const lines = (await read("Dockerfile")).replace(/\\\n\s*/g, " ").split("\n");
  const all = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));
  const stages = all("FROM").map((from) => from.split(" AS ")[1]);
  const copies = all("COPY").map((line) => {
    const words = line.split(" ").filter((word) => !word.startsWith("--"));
    return { from: /--from=(\w+)/.exec(line)?.[1], sources: words.slice(0, -1), target: words.at(-1) ?? "" };
  });

  test("copies only what exists and .dockerignore lets in", async () => {
    const letIn = (await read(".dockerignore")).split("\n").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    const sources = copies.filter(({ from }) => !from).flatMap((copy) => copy.sources);
    for (const source of sources) expect(existsSync(new URL(source, root)), source).toBe(true);
    expect([...new Set(sources)].sort()).toEqual(letIn.sort());
    for (const { from } of copies) if (from) expect(stages).toContain(from);
  });

  test("carries everything that the package publishes", () => {
    const targets = copies.map(({ target, sources }) => (target === "./" ? sources.join(" ") : target.slice(2)));
    for (const file of manifest.files) expect(targets).toContain(file);
  });

  test("runs scripts and commands that exist", () => {
    const run = all("RUN").join(" && ");
    for (const [, script = ""] of run.matchAll(/npm run (\w+)/g)) expect(Object.keys(manifest.scripts)).toContain(script);
    expect(run).toContain(`ln -s /app/${manifest.bin.ensemble} /usr/local/bin/ensemble`);
    expect(run).toContain(`chmod +x ${manifest.bin.ensemble}`);
    expect(existsSync(new URL(`${manifest.bin.ensemble?.replace("dist/", "src/").replace(".js", ".ts")}`, root))).toBe(true);
    expect(all("ENTRYPOINT")).toEqual(['["ensemble"]']);
    expect(Object.keys(commands)).toContain(JSON.parse(all("CMD")[0] ?? "[]")[0]);
    expect(all("HEALTHCHECK")[0]).toMatch(/CMD \["ensemble", "health"\]$/);
  });

  test("listens on every address of the container, on the port it exposes, and not as root", () => {
    const { NODE_ENV, ...env } = Object.fromEntries(
      all("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=") as [string, string])),
    );
    expect(NODE_ENV).toBe("production");
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(Object.keys(env)));
    expect(readConfig(env)).toMatchObject({ host: "0.0.0.0", port: settings.PORT.parse(undefined) });
    expect(all("EXPOSE")).toEqual([env.PORT]);
    expect(all("USER")).toEqual(["node"]);
  });
});
