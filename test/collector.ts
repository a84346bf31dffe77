import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { afterFile } from "./after-file.ts";

const Value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  boolValue: z.boolean().optional(),
  arrayValue: z.unknown().optional(),
});
const Attributes = z
  .array(z.object({ key: z.string(), value: Value }))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue ?? Number.NaN)])),
  );
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: Attributes,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  status: z.object({ code: z.number().default(0) }).default({ code: 0 }),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
});
const Export = z.object({
  resourceSpans: z.array(
    z.object({ resource: z.object({ attributes: Attributes }), scopeSpans: z.array(z.object({ spans: z.array(Span) })) }),
  ),
});

export type CollectedSpan = z.infer<typeof Span>;

/** Starts a collector of spans, which accepts OTLP over real HTTP, as JSON. */
export async function startCollector() {
  const spans: CollectedSpan[] = [];
  const calls: { path: string; type: string; text: string }[] = [];
  let services: unknown[] = [];
  const server = createServer(async (request, reply) => {
    const body = await buffer(request);
    const type = request.headers["content-type"] ?? "";
    calls.push({ path: request.url ?? "", type, text: body.toString() });
    if (type === "application/json") {
      const { resourceSpans } = Export.parse(JSON.parse(body.toString()));
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      services = resourceSpans.map(({ resource }) => resource.attributes["service.name"]);
    }
    reply.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  afterFile(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    calls,
    services: () => services,
    of: (traceId: string) => spans.filter((span) => span.traceId === traceId),
  };
}
