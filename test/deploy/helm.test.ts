import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { commands } from "../../src/cli/commands.ts";
import { settings } from "../../src/settings.ts";
import { basic, chart, documentsOf, environmentOf, full, hasHelm, Labels, render, root, withHelm, workload } from "./chart.ts";
import { renderChart } from "./render-chart.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");

test.runIf(hasHelm).each([basic, full])("our renderer makes the same objects as Helm", (values) => {
  expect(documentsOf(renderChart(chart, values))).toEqual(documentsOf(withHelm(values)));
});

test("the chart has an API, workers and a migration, and nothing optional by default", () => {
  expect([...render(basic).keys()].sort()).toEqual([
    "Deployment agents-api",
    "Deployment agents-worker",
    "Job agents-migrate",
    "PodDisruptionBudget agents-api",
    "PodDisruptionBudget agents-worker",
    "Secret agents",
    "Secret agents-migrate",
    "Service agents-api",
    "ServiceAccount agents",
  ]);
});

test("the optional objects appear when they are enabled", () => {
  const kinds = (values: object) => [...new Set([...render(values).values()].map(({ kind }) => kind))];
  expect(kinds(full)).toEqual(expect.arrayContaining(["Ingress", "ScaledObject", "ServiceMonitor", "HorizontalPodAutoscaler"]));
  const byHpa = render({ ...basic, worker: { autoscaling: { type: "hpa" } } });
  expect([...byHpa.keys()].filter((key) => /Horizontal|Scaled/.test(key))).toEqual(["HorizontalPodAutoscaler agents-worker"]);
  expect(workload(byHpa, "Deployment agents-worker").replicas).toBeUndefined(); // the autoscaler decides
});

test("a missing database, image or host fails with a sentence that says what to set", () => {
  expect(() => render({ image: "x" })).toThrow("Set databaseUrl to the URL of your Postgres");
  expect(() => render({ databaseUrl: "x" })).toThrow("Set image to the image of your project");
  expect(() => render({ ...basic, ingress: { enabled: true } })).toThrow("Set ingress.host");
});

test("each selector matches the labels of its pods, and only these", () => {
  const documents = render(full);
  const pods = ["Deployment agents-api", "Deployment agents-worker", "Job agents-migrate"].map(
    (key) => [key, workload(documents, key).template.metadata.labels] as const,
  );
  const chosenBy = (selector: Record<string, string>) =>
    pods.filter(([, labels]) => Object.entries(selector).every(([name, value]) => labels[name] === value)).map(([key]) => key);
  const labelsIn = (key: string, ...path: string[]) =>
    Labels.parse(path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], documents.get(key)?.spec));
  for (const role of ["api", "worker"]) {
    expect(chosenBy(labelsIn(`Deployment agents-${role}`, "selector", "matchLabels"))).toEqual([`Deployment agents-${role}`]);
    expect(chosenBy(labelsIn(`PodDisruptionBudget agents-${role}`, "selector", "matchLabels"))).toEqual([`Deployment agents-${role}`]);
  }
  expect(chosenBy(labelsIn("Service agents-api", "selector"))).toEqual(["Deployment agents-api"]);
  expect(chosenBy(labelsIn("Service agents-metrics", "selector"))).toEqual(["Deployment agents-api", "Deployment agents-worker"]);
  const scraped = Object.entries(labelsIn("ServiceMonitor agents", "selector", "matchLabels"));
  const services = [...documents.values()].filter(({ kind }) => kind === "Service");
  const matching = services.filter(({ metadata }) => scraped.every(([name, value]) => Labels.parse(metadata.labels)[name] === value));
  expect(matching.map(({ metadata }) => metadata.name)).toEqual(["agents-metrics"]);
});

describe.each([
  ["Deployment agents-api", "start"],
  ["Deployment agents-worker", "start"],
  ["Job agents-migrate", "migrate"],
])("%s", (key, command) => {
  const { pod, container } = workload(render(basic), key);

  test("runs a command that exists, with the image of the project and the Secret", () => {
    expect([container.args, container.image]).toEqual([[command], basic.image]);
    expect(commands).toHaveProperty(command);
    const secret = container.envFrom[0]?.secretRef.name ?? "";
    expect(render(basic).get(`Secret ${secret}`)?.stringData).toEqual({ DATABASE_URL: basic.databaseUrl });
  });

  test("runs without root, and writes only below /tmp", () => {
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(container.volumeMounts).toEqual([{ name: "tmp", mountPath: "/tmp" }]);
  });

  test("sets only variables that the service reads, to values that it accepts", () => {
    for (const [name, value] of Object.entries(environmentOf(container))) {
      expect(Object.keys(settings)).toContain(name);
      expect(settings[name as keyof typeof settings].safeParse(value).success, `${name}=${value}`).toBe(true);
    }
  });

  test("has probes that ask a port or a command that exists", () => {
    for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
      if (probe?.exec) expect([probe.exec.command[0], Object.keys(commands)]).toEqual(["ensemble", expect.arrayContaining(["health"])]);
      if (probe?.exec) expect(probe.exec.command.slice(1)).toEqual(["health"]);
      if (probe?.httpGet) expect(container.ports.map(({ name }) => name)).toContain(probe.httpGet.port);
    }
    const count = [container.startupProbe, container.readinessProbe, container.livenessProbe].filter(Boolean).length;
    expect(count).toBe(command === "start" ? 3 : 0);
  });
});

test("only the worker executes runs, and gets longer to stop than its runs get to drain", () => {
  for (const [values, seconds] of [
    [basic, 30],
    [full, 300],
  ] as const) {
    const { pod, container } = workload(render(values), "Deployment agents-worker");
    expect(environmentOf(container)).toMatchObject({ ENSEMBLE_ROLE: "worker", WORKER_DRAIN_TIMEOUT: String(seconds) });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds + 10);
    expect(environmentOf(workload(render(values), "Deployment agents-api").container).ENSEMBLE_ROLE).toBe("api");
  }
});

test("workers know the API by its Service", () => {
  const documents = render(basic);
  const [{ port } = {}] = (documents.get("Service agents-api")?.spec?.ports ?? []) as { port?: number }[];
  expect(environmentOf(workload(documents, "Deployment agents-worker").container).ENSEMBLE_URL).toBe(`http://agents-api:${port}`);
});

test("the migration runs before the installation and each upgrade, after its copy of the Secret", () => {
  const documents = render(basic);
  const weights = ["Secret agents-migrate", "Job agents-migrate"].map((key) => {
    const annotations = documents.get(key)?.metadata.annotations ?? {};
    expect(annotations["helm.sh/hook"]).toBe("pre-install,pre-upgrade");
    return Number(annotations["helm.sh/hook-weight"]);
  });
  expect(weights[0]).toBeLessThan(weights[1] as number);
});

test("with a Secret of the user's own, the chart makes none", () => {
  const documents = render({ image: "x:1", existingSecret: "mine" });
  expect([...documents.values()].filter(({ kind }) => kind === "Secret")).toEqual([]);
  for (const key of ["Deployment agents-api", "Job agents-migrate"])
    expect(workload(documents, key).container.envFrom).toEqual([{ secretRef: { name: "mine" } }]);
});

test("the autoscalers ask for metrics that the service has", () => {
  const asked = `${JSON.stringify([...render(full).values()])}${JSON.stringify([...render({ ...basic, worker: { autoscaling: { type: "hpa" } } }).values()])}`;
  const names = new Set([...asked.matchAll(/ensemble_(queue_\w+|attempts_\w+)/g)].map(([, name]) => name));
  expect(names.size).toBe(2);
  const code = ["database", "work"].map((file) => read(`src/metrics/${file}.ts`)).join();
  for (const name of names) expect(code).toContain(`gauge("${name}"`);
});

test("the versions of the chart are the version of the package", () => {
  const { version } = JSON.parse(read("package.json"));
  expect(parse(read("deploy/helm/Chart.yaml"))).toMatchObject({ version, appVersion: version });
});

test("each value has a comment, and the schema knows exactly the values that exist", () => {
  const text = read("deploy/helm/values.yaml").split("\n");
  const bare = text.filter(
    (line, index) => /^\s*\w+:( \S|$)/.test(line) && !/^\s*#/.test(text[index - 1] ?? "") && !opensGroup(text, index),
  );
  expect(bare.filter((line) => !/^\s+(requests|limits):/.test(line))).toEqual([]);
  const keysOf = (schema: Schema): unknown =>
    schema.properties ? Object.fromEntries(Object.entries(schema.properties).map(([key, one]) => [key, keysOf(one)])) : null;
  const shapeOf = (values: unknown, schema: Schema): unknown =>
    schema.properties
      ? Object.fromEntries(Object.entries(values as object).map(([key, value]) => [key, shapeOf(value, schema.properties?.[key] ?? {})]))
      : null;
  const schema: Schema = JSON.parse(read("deploy/helm/values.schema.json"));
  const { global, ...known } = keysOf(schema) as Record<string, unknown>;
  expect(global).toBeNull();
  expect(shapeOf(parse(read("deploy/helm/values.yaml")), schema)).toEqual(known);
});

interface Schema {
  properties?: Record<string, Schema>;
}

/** Tells whether a line opens a group of values, which have comments of their own. */
const opensGroup = (lines: string[], index: number) => /:$/.test(lines[index] ?? "") && /^\s+#/.test(lines[index + 1] ?? "");
