import { expect, test } from "vitest";
import { endpoints } from "../endpoints.ts";
import { startTestService } from "../service.ts";

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  $ref?: string;
}

interface Operation {
  tags?: string[];
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: { "application/json": { schema: Schema } } };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const { fetch } = await startTestService();
const text = await (await fetch("/openapi.json")).text();
const document: Document = JSON.parse(text);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [route: string, operation: Operation] => [
    `${method.toUpperCase()} ${path}`,
    operation,
  ]),
);

test.each(operations)("%s is documented: its parameters, its body, its answers", (route, operation) => {
  const inPath = operation.parameters?.filter((parameter) => parameter.in === "path").map(({ name }) => name) ?? [];
  expect(inPath.sort()).toEqual([...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());

  const body = resolve(operation.requestBody?.content["application/json"].schema);
  expect(body !== undefined).toBe(endpoints[route]?.body !== undefined);
  const fields = Object.keys(endpoints[route]?.fields ?? {}).filter((field) => !/[.\d]/.test(field));
  expect(Object.keys(body?.properties ?? {})).toEqual(expect.arrayContaining(fields));

  const inQuery = operation.parameters?.filter((parameter) => parameter.in === "query").map(({ name }) => name) ?? [];
  expect(inQuery).toEqual(expect.arrayContaining(Object.keys(endpoints[route]?.query ?? {})));
  expect(operation.tags).toHaveLength(1);
  expect(operation.responses["4XX"]?.content).toHaveProperty("text/plain");
});

test("every reference has its schema, and every schema is referred to", () => {
  const references = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
  expect([...references].sort()).toEqual(Object.keys(document.components.schemas).sort());
});

test("the document uses only what OpenAPI 3.0 supports", () => {
  expect(document.openapi).toMatch(/^3\.0\./);
  expect(text).not.toMatch(/"(\$schema|\$defs|prefixItems|const|propertyNames|patternProperties)":/);
  expect(text).not.toMatch(/"type":(\[|"null")/);
});

test("bodies are documented as they are sent, not as they are read", () => {
  const run = bodyOf("post", "/threads/{threadId}/runs");
  expect(run.required).toEqual(["assistant_id"]);
  expect(run.properties?.stream_mode?.anyOf?.map(({ type }) => type)).toEqual(["array", "string"]);
  expect(run.properties?.metadata).toMatchObject({ type: "object" });
  const search = bodyOf("post", "/threads/search");
  expect(search.required).toBeUndefined();
  expect(search.properties?.limit).toEqual({ type: "integer", minimum: 1, maximum: 1_000 });
  expect(search.properties?.select?.items?.enum).toContain("thread_id");
});

test("streams are documented as such", () => {
  for (const [route, { responses }] of operations.filter(([route]) => route.endsWith("/stream"))) {
    expect(Object.keys(responses["200"]?.content ?? {}), route).toEqual(["text/event-stream"]);
  }
});

test("the documentation page loads nothing from another host", async () => {
  const page = await (await fetch("/docs")).text();
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) {
    expect(link).toMatch(/^\/docs\//);
    expect((await fetch(link)).status).toBe(200);
  }
  const start = await (await fetch("/docs/static/swagger-initializer.js")).text();
  expect(start).toMatch(/validatorUrl: null/); // otherwise, the page would send the document to a validator of its authors
  expect((await (await fetch("/docs/json")).json()) as Document).toEqual(document);
});

function bodyOf(method: string, path: string): Schema {
  return resolve(document.paths[path]?.[method]?.requestBody?.content["application/json"].schema) ?? {};
}

function resolve(schema: Schema | undefined): Schema | undefined {
  return schema?.$ref ? document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] : schema;
}
