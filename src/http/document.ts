import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

const refusal = {
  description: "What is wrong with the request, and what would be right. JSON when asked for, and when fields are named.",
  content: {
    "text/plain": { schema: { type: "string" } },
    "application/json": {
      schema: {
        type: "object",
        required: ["detail"],
        properties: {
          detail: { type: "string" },
          errors: {
            type: "array",
            items: { type: "object", properties: { field: { type: "string" }, message: { type: "string" } } },
          },
        },
      },
    },
  },
};

/** The path of the documentation page. */
export const documentPath = "/docs";

/**
 * Generates the OpenAPI document from the routes' schemas, and serves it together with a page that shows it. Register this before the
 * routes.
 */
export async function documentApi(app: FastifyInstance, version: string, prefix: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: { title: "Ensemble", description: "LangGraph.js graphs as a durable service on Postgres.", version },
      ...(prefix && { servers: [{ url: prefix }] }),
    },
    transform: describeRoute,
    transformObject: withoutUnused,
  });
  await app.register(swaggerUi, { routePrefix: documentPath });
  app.get("/openapi.json", { schema: { hide: true }, config: { access: "signed-in" } }, async () => app.swagger());
}

const describeRoute: typeof jsonSchemaTransform = (route) => {
  const { schema, url } = jsonSchemaTransform({ ...route, schema: route.schema ?? {} });
  const response = { ...(schema.response as object | undefined), "4xx": refusal };
  return { schema: { ...schema, tags: [topicOf(url)], response }, url };
};

/** Returns the heading under which /docs lists a route. */
export function topicOf(url: string): string {
  if (/\/(a2a|\.well-known)\//.test(url)) return "agent-to-agent";
  if (url.includes("/v1/")) return "openai";
  return (
    ["feedback", "plans", "dead-letters", "crons", "runs", "threads", "interrupts", "assistants", "webhooks", "store"].find((topic) =>
      url.includes(`/${topic}`),
    ) ?? "service"
  );
}

/**
 * Removes unused schemas from the document. Each named schema is generated twice, for input and for output, and often only one of the two
 * is used.
 */
const withoutUnused: typeof jsonSchemaTransformObject = (input) => {
  const document = jsonSchemaTransformObject(input);
  const schemas = ("components" in document && document.components?.schemas) || {};
  // Removing a schema can make another one unused, so this repeats until nothing changes.
  for (let count = -1; count !== Object.keys(schemas).length; ) {
    count = Object.keys(schemas).length;
    const text = JSON.stringify(document);
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name];
    }
  }
  return document;
};
