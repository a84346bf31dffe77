import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { renderChart } from "./render-chart.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const chart = join(root, "deploy/helm");
/** True if Helm is on this machine. Helm then renders the chart, and otherwise our own small renderer does. */
export const hasHelm = spawnSync("helm", ["version"]).status === 0;

const Named = z.object({ name: z.string() });
const Variable = Named.extend({ value: z.string() });
export const Labels = z.record(z.string(), z.string());
const Probe = z.looseObject({
  exec: z.object({ command: z.array(z.string()) }).optional(),
  httpGet: z.object({ path: z.string(), port: z.string() }).optional(),
});
const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(Variable).default([]),
  envFrom: z.array(z.object({ secretRef: Named })),
  ports: z.array(Named.extend({ containerPort: z.number() })).default([]),
  securityContext: z.looseObject({ readOnlyRootFilesystem: z.boolean(), allowPrivilegeEscalation: z.boolean() }),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
});
const Pod = z.looseObject({
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.looseObject({ runAsNonRoot: z.boolean() }),
  containers: z.array(Container).length(1),
});
const Workload = z.object({
  spec: z.looseObject({
    replicas: z.number().optional(),
    selector: z.object({ matchLabels: Labels }).optional(),
    template: z.object({ metadata: z.looseObject({ labels: Labels }), spec: Pod }),
  }),
});
const Document = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: Labels.nullish() }),
  spec: z.record(z.string(), z.unknown()).optional(),
  stringData: Labels.optional(),
});
export type Document = z.infer<typeof Document>;

export const basic = { image: "registry.test/agents:1", databaseUrl: "postgresql://user:secret@db/ensemble" };
export const full = {
  ...basic,
  databaseDirectUrl: "postgresql://user:secret@direct/ensemble",
  secretEnv: { ENSEMBLE_API_KEYS: "me:1" },
  env: { LOG_LEVEL: "debug", N: 1 },
  worker: { drainSeconds: 300, autoscaling: { type: "keda" } },
  api: { autoscaling: { enabled: true } },
  ingress: { enabled: true, host: "agents.test", tlsSecretName: "agents-tls", className: "nginx" },
  metrics: { serviceMonitor: { enabled: true, labels: { release: "prometheus" } } },
  podAnnotations: { team: "a" },
  nodeSelector: { disk: "fast" },
};

export function withHelm(values: object): string {
  return execFileSync("helm", ["template", "agents", chart, "--values", "-"], {
    input: JSON.stringify(values),
    encoding: "utf8",
    stdio: "pipe",
  });
}

/** Returns the objects of the chart by kind and name, such as "Deployment agents-api". */
export function documentsOf(text: string): Map<string, Document> {
  const parsed = parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
  const documents = parsed.filter((document) => document !== null).map((document) => Document.parse(document));
  return new Map(documents.map((document) => [`${document.kind} ${document.metadata.name}`, document]));
}

export const render = (values: object) => documentsOf(hasHelm ? withHelm(values) : renderChart(chart, { ...values }));

export const workload = (documents: Map<string, Document>, key: string) => {
  const { spec } = Workload.parse(documents.get(key));
  return { ...spec, pod: spec.template.spec, container: spec.template.spec.containers[0] as z.infer<typeof Container> };
};
export const environmentOf = ({ env }: z.infer<typeof Container>) => Object.fromEntries(env.map(({ name, value }) => [name, value]));
