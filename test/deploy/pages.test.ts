import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { commands } from "../../src/cli/commands.ts";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/settings.ts";
import { hasDocs, readPages, splitPage } from "../docs/pages.ts";
import { render } from "./chart.ts";
import { parseSections } from "./sections.ts";

/** The files on the pages about deployment need the platforms. These tests compare what the files contain with the code. */
const pages = readPages().filter(({ path }) => path.startsWith("docs/guides/deploy/"));
const blocksOf = (name: string, language: string) => {
  const page = pages.find(({ path }) => path.endsWith(`/${name}.md`));
  return page
    ? splitPage(page)
        .blocks.filter((block) => block.language === language)
        .map(({ code }) => code)
    : [];
};

const Variables = z.record(z.string(), z.coerce.string());

/** Checks that the service reads these variables and accepts their values, and returns the configuration. */
function configOf(variables: unknown) {
  const environment = Variables.parse(variables);
  expect(Object.keys(settings)).toEqual(expect.arrayContaining(Object.keys(environment)));
  return readConfig(environment);
}

/** A worker must get clearly longer to stop than its runs get to drain. */
function expectLongerThanDrain(graceSeconds: unknown, variables: unknown): void {
  const { role, drainSeconds } = configOf(variables);
  expect(role).toBe("worker");
  expect(graceSeconds).toBeGreaterThan(drainSeconds + 10);
}

describe.runIf(hasDocs)("the pages about deployment", () => {
  test.for(pages)("$path names only variables, commands and metrics that exist", ({ text }) => {
    const variables = [...text.matchAll(/\b(?:ENSEMBLE|DATABASE|WORKER|BG_JOB|N_JOBS|OPENAI)_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(variables));
    const named = [...text.matchAll(/(?:^|`|bin\/|npx )ensemble ([a-z]+)/gm)].map(([, name]) => name);
    expect(Object.keys(commands)).toEqual(expect.arrayContaining(named));
  });

  test("each recipe is in the index", () => {
    const index = pages.find(({ path }) => path.endsWith("README.md"))?.text;
    for (const { path } of pages) if (!path.endsWith("README.md")) expect(index).toContain(`](${path.split("/").at(-1)})`);
  });

  test("compose.yaml migrates first, and gives workers time to drain", () => {
    const { services } = parse(blocksOf("compose", "yaml")[0] ?? "");
    expect(services.migrate.command).toEqual(["migrate"]);
    expectLongerThanDrain(Number.parseInt(services.worker.stop_grace_period, 10), services.worker.environment);
    expect(configOf(services.api.environment).role).toBe("api");
    const { serviceUrl = "" } = configOf(services.worker.environment);
    expect(configOf(services.api.environment).hosts).toContain(new URL(serviceUrl).hostname);
    for (const name of ["api", "worker"]) expect(services[name].depends_on.migrate.condition).toBe("service_completed_successfully");
  });

  test("the values for the chart are values that the chart has", () => {
    const ofChart = blocksOf("kubernetes", "yaml").filter((code) => code.startsWith("# values.yaml\n"));
    expect(ofChart).toHaveLength(2);
    const [first, second] = ofChart.map((code) => parse(code));
    const kinds = [...render({ ...first, ...second }).values()].map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["Ingress", "ScaledObject", "ServiceMonitor"]));
  });

  test("the plain manifests run commands that exist, and give workers time to drain", () => {
    const manifests = blocksOf("kubernetes", "yaml").filter((code) => /^# (migrate|agents)\.yaml\n/.test(code));
    const documents = manifests.flatMap((code) => parseAllDocuments(code).map((document) => document.toJS()));
    const pods = documents
      .filter(({ kind }) => kind !== "Service")
      .map(({ metadata, spec }) => ({ name: metadata.name, ...spec.template.spec }));
    expect(pods.map(({ name, containers: [{ args }] }) => [name, args])).toEqual([
      ["agents-migrate-1-0-0", ["migrate"]],
      ["agents-api", ["start"]],
      ["agents-worker", ["start"]],
    ]);
    const [api, worker] = pods.slice(1).map(({ containers: [{ env }] }) => toRecord(env, "name"));
    expect(configOf(api)).toMatchObject({ role: "api", port: 2024, host: "0.0.0.0" });
    expectLongerThanDrain(pods[2]?.terminationGracePeriodSeconds, worker);
    const service = documents.find(({ kind }) => kind === "Service");
    expect(documents.find(({ metadata }) => metadata.name === "agents-api")?.spec.template.metadata.labels).toEqual(service.spec.selector);
    expect(new URL(configOf(worker).serviceUrl ?? "").hostname).toBe(service.metadata.name);
  });

  test("the units start commands that exist, and give workers time to drain", () => {
    const [migrate, api, worker] = blocksOf("systemd", "ini").map(parseSections);
    const commandOf = (unit: typeof migrate) => /\/ensemble (\w+)$/.exec(String(unit?.Service?.ExecStart))?.[1];
    expect([migrate, api, worker].map(commandOf)).toEqual(["migrate", "start", "start"]);
    const environmentOf = (unit: typeof migrate) => {
      const pairs = [unit?.Service?.Environment].flat().flatMap((line) => String(line).split(" "));
      const { NODE_ENV, ...ours } = Object.fromEntries(pairs.map((pair) => pair.replaceAll("%i", "1").split("=")));
      expect(NODE_ENV).toBe("production");
      return ours;
    };
    expect(configOf(environmentOf(api))).toMatchObject({ role: "api", port: 2024 });
    expectLongerThanDrain(Number(worker?.Service?.TimeoutStopSec), environmentOf(worker));
  });

  test("fly.toml serves the port of the API, and fly.worker.toml gives workers time to drain", () => {
    const [api, worker] = blocksOf("fly", "toml").map(parseSections);
    expect(configOf(api?.env)).toMatchObject({ role: "api", port: api?.http_service?.internal_port, metricsPort: api?.metrics?.port });
    expect(commands).toHaveProperty(String(api?.deploy?.release_command));
    expectLongerThanDrain(worker?.[""]?.kill_timeout, worker?.env);
    expect(configOf(worker?.env)).toMatchObject({ metricsPort: worker?.["checks.metrics"]?.port });
    expect(configOf(worker?.env).serviceUrl).toBe(`https://${api?.[""]?.app}.fly.dev`);
  });

  test("render.yaml serves the port of the API, and gives workers time to drain", () => {
    const { services, databases } = parse(blocksOf("render", "yaml")[0] ?? "");
    const valuesOf = (vars: { key: string; value?: string }[]) =>
      toRecord(
        vars.filter(({ value }) => value !== undefined),
        "key",
      );
    const [api, worker] = services;
    expect(configOf(valuesOf(api.envVars))).toMatchObject({ role: "api", port: 2024 });
    expectLongerThanDrain(worker.maxShutdownDelaySeconds, valuesOf(worker.envVars));
    for (const { key, fromDatabase } of [...api.envVars, ...worker.envVars]) {
      expect(Object.keys(settings)).toContain(key);
      if (fromDatabase) expect(fromDatabase.name).toBe(databases[0].name);
    }
    expect(commands).toHaveProperty(api.preDeployCommand.replace("ensemble ", ""));
  });

  test("railway.json migrates before a release, and railway.worker.json gives workers time to drain", () => {
    const [api, worker] = blocksOf("railway", "json").map((code) => JSON.parse(code));
    expect(api.deploy.preDeployCommand).toEqual(["ensemble migrate"]);
    expectLongerThanDrain(worker.deploy.drainingSeconds, { ENSEMBLE_ROLE: "worker", WORKER_DRAIN_TIMEOUT: "30" });
    expect(pages.find(({ path }) => path.endsWith("railway.md"))?.text).toContain("`WORKER_DRAIN_TIMEOUT=30`");
  });
});

const toRecord = (list: Record<string, string>[], key: string) => Object.fromEntries(list.map((one) => [one[key], one.value]));
