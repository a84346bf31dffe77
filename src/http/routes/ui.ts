import { extname } from "node:path";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import type { UiBundles } from "../../ui/bundles.ts";
import { Text } from "../schemas.ts";

const OneUi = z.object({ graphId: Text });
const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Serves the UI components of graphs. A page first requests HTML for a component, and this HTML then requests the component's files.
 * `mountedAt` is the path prefix of the API.
 */
export const uiRoutes: FastifyPluginAsyncZod<{ bundles: UiBundles; mountedAt: string }> = async (app, { bundles, mountedAt }) => {
  const filesOf = (graphId: string) => {
    const files = bundles.get(graphId);
    if (!files) throw new ServiceError("not_found", `UI not found for agent "${graphId}"`);
    return files;
  };

  app.post(
    "/ui/:graphId",
    { schema: { params: OneUi, body: z.object({ name: Text }) }, config: { access: "signed-in" } },
    async ({ params: { graphId }, body: { name }, headers, host }, reply) => {
      const names = [...filesOf(graphId).keys()];
      const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
      const urlOf = (file: string) => attribute(`${scheme}://${host}${mountedAt}/ui/${encodeURIComponent(graphId)}/${file}`);
      // The SDK replaces "{{shadowRootId}}" in this text with the id of the element into which it puts the component.
      const render = `__LGUI_${graphId.replace(/[^a-zA-Z0-9]/g, "_")}.render(${JSON.stringify(name)}, "{{shadowRootId}}")`;
      const html = [
        ...names.filter((file) => file.endsWith(".css")).map((file) => `<link rel="stylesheet" href="${urlOf(file)}" />`),
        ...names
          .filter((file) => file.endsWith(".js"))
          .map((file) => `<script src="${urlOf(file)}" onload='${attribute(render, "'")}'></script>`),
      ];
      return reply.type("text/html; charset=utf-8").send(html.join("\n"));
    },
  );

  app.get(
    "/ui/:graphId/:file",
    { schema: { params: OneUi.extend({ file: Text }) }, config: { access: "public" } },
    async ({ params: { graphId, file } }, reply) => {
      const content = filesOf(graphId).get(file);
      if (!content) throw new ServiceError("not_found", "File not found");
      return reply.type(types[extname(file)] ?? "application/octet-stream").send(content);
    },
  );
};

/** Escapes a text so that it can stand in an HTML attribute whose value is enclosed in `quote`. */
function attribute(text: string, quote: '"' | "'" = '"'): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return quote === '"' ? escaped.replaceAll('"', "&quot;") : escaped.replaceAll("'", "&#39;");
}
