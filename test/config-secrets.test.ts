import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { settings } from "../src/settings.ts";
import { runCommand } from "./command.ts";

/** Settings with free text that is not secret, so it is shown. */
const plain = [
  "HOST",
  "ENSEMBLE_JWT_ISSUER",
  "ENSEMBLE_JWT_AUDIENCE",
  "ENSEMBLE_DATA_DIR",
  "ENSEMBLE_CONFIG",
  "ENSEMBLE_HOSTS",
  "ENSEMBLE_WEBHOOK_INSIDE_HOSTS",
  "ENSEMBLE_PATTERN_HOSTS",
  "ENSEMBLE_METRICS_HOST",
  "ENSEMBLE_MODEL",
  "OTEL_TRACES_EXPORTER",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_TRACES_SAMPLER",
  "OTEL_SDK_DISABLED",
  "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
  "LANGSMITH_TRACING",
];

test("`ensemble config` shows no value that may hold a secret", async () => {
  const secret = "s3cret-s3cret-s3cret-s3cret-s3cret";
  const env = Object.fromEntries(
    Object.entries(settings)
      .filter(([name, schema]) => !plain.includes(name) && schema.safeParse(secret).success)
      .map(([name]) => [name, secret]),
  );
  const { code, stdout } = await runCommand(["config"], {
    ...env,
    LANGGRAPH_CONFIG: JSON.stringify({ react: { context: { apiKey: secret } } }),
    OTEL_EXPORTER_OTLP_ENDPOINT: `https://user:${secret}@collector.test`,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `https://collector.test/v1/traces?token=${secret}`,
    ENSEMBLE_URL: `http://user:${secret}@api.test`,
    ENSEMBLE_JWT_JWKS_URL: "",
    LANGGRAPH_AES_KEY: secret.slice(0, 32),
    ENSEMBLE_MODEL: "shown",
  });
  expect(stdout).not.toContain(secret.slice(0, 32));
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^LANGGRAPH_CONFIG +\(set\)/m) });
  expect(stdout).toMatch(/^OTEL_EXPORTER_OTLP_ENDPOINT +\(set\)/m);
  expect(stdout).toMatch(/^ENSEMBLE_MODEL +shown/m);
});

test("a value that may hold a secret is not repeated when it is wrong", () => {
  for (const [name, value] of [
    ["LANGGRAPH_CONFIG", '{"react": {"context": {"apiKey": "s3cret"}'],
    ["ENSEMBLE_URL", "postgres://user:s3cret@host"],
    ["ENSEMBLE_JWT_SECRET", "s3cret"],
  ] as const) {
    expect(() => readConfig({ [name]: value })).toThrow(name);
    expect(() => readConfig({ [name]: value })).not.toThrow("s3cret");
  }
  expect(() => readConfig({ PORT: "many" })).toThrow('is "many"');
});
