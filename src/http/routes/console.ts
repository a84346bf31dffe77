import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Auth } from "../../auth/auth.ts";
import { answers } from "../schemas.ts";

/** The mode of the web console: switched off, only for reading, or with all functions. */
export type ConsoleMode = "off" | "read-only" | "on";

export interface ConsoleOptions {
  mode: ConsoleMode;
  /** The folder with the console's built files. Undefined means the folder of the build. */
  folder?: string | undefined;
}

interface Served extends ConsoleOptions {
  auth: Auth | undefined;
  version: string;
  /** The path prefix of the API, or an empty string. */
  mountedAt: string;
}

/** The folder into which `npm run build:console` writes the console's files. The path is the same in a checkout and in the package. */
const builtFolder = fileURLToPath(new URL("../../../dist/console", import.meta.url));

const ConsoleConfig = z
  .object({
    version: z.string(),
    mode: z.enum(["read-only", "on"]),
    auth: z
      .array(z.enum(["api-key", "token", "custom"]))
      .describe("the kinds of credential that the service accepts. None if it has no auth"),
    prefix: z.string().describe("the path prefix of the API"),
  })
  .meta({ id: "ConsoleConfig" });

const isPublic = { access: "public" as const };
const hidden = { schema: { hide: true }, config: isPublic };

/** Serves the web console. Its files are public, because they contain no data. The API decides which data a user of the console can see. */
export const consoleRoutes: FastifyPluginAsyncZod<Served> = async (app, { mode, folder = builtFolder, auth, version, mountedAt }) => {
  app.addHook("onRequest", async ({ routeOptions }, reply) => void (routeOptions.url !== "/" && reply.headers(securityHeaders())));
  app.addHook("onSend", async (_request, reply) => void (reply.statusCode >= 400 && reply.header("cache-control", "no-store")));
  if (mode === "off") return refuse(app);

  app.get("/console/config.json", { schema: { response: answers(ConsoleConfig) }, config: isPublic }, async (_request, reply) =>
    reply.header("cache-control", "no-store").send({ version, mode, auth: auth?.accepts ?? [], prefix: mountedAt }),
  );
  await serveFiles(app, folder);
  const page = pageSender(folder, mountedAt);
  app.get("/console", hidden, page);
  app.get("/console/*", hidden, page);
  app.get("/", hidden, async ({ headers }, reply) => {
    const isBrowser = headers.accept?.includes("text/html") ?? false;
    if (!isBrowser || (await readPage(folder)) === undefined) return reply.callNotFound();
    return reply.headers({ vary: "accept", "cache-control": "no-store" }).redirect(`${mountedAt}/console/`);
  });
};

/** Makes all paths of the console respond that there is no console. */
function refuse(app: FastifyInstance): void {
  const answer = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.code(404).type("text/plain; charset=utf-8").send("404 Not Found: the console is off. Set ENSEMBLE_CONSOLE=on to turn it on.");
  app.get("/console", hidden, answer);
  app.get("/console/*", hidden, answer);
}

/** Serves the console's scripts and styles. Their names contain a hash of their content, so browsers may cache them forever. */
async function serveFiles(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, { root: folder, serve: false, preCompressed: true, suppressWarning: true });
  app.get<{ Params: { file: string } }>("/console/assets/:file", hidden, ({ params: { file } }, reply) =>
    reply.sendFile(`assets/${file}`, { maxAge: "365d", immutable: true }),
  );
}

const notBuilt =
  "The console is not built. In a checkout, run `npm run build:console`, then start the service again. The package and the Docker image contain it.";

/** Returns a handler that sends the console's page. The page itself decides what to show for a path, so every path gets the same page. */
function pageSender(folder: string, mountedAt: string) {
  return async (_request: FastifyRequest, reply: FastifyReply) => {
    const page = await readPage(folder);
    reply.header("cache-control", "no-store"); // must not be cached, because the page contains a nonce
    if (page === undefined) return reply.code(503).type("text/plain; charset=utf-8").send(notBuilt);
    const nonce = randomBytes(16).toString("base64");
    const html = page.replaceAll("./assets/", `${mountedAt}/console/assets/`).replace("%PREFIX%", mountedAt).replace("%NONCE%", nonce);
    return reply.headers(securityHeaders(nonce)).type("text/html; charset=utf-8").send(html);
  };
}

/** Returns the HTML of the built page, or undefined if the console is not built. */
const readPage = (folder: string): Promise<string | undefined> => readFile(`${folder}/index.html`, "utf8").catch(() => undefined);

/**
 * Returns the headers that protect the console's page. The page may load scripts only from this service. Some of its libraries add
 * `<style>` elements, which the browser accepts only if they carry the page's nonce.
 */
function securityHeaders(nonce?: string): Record<string, string> {
  const policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": nonce === undefined ? "'self'" : `'self' 'nonce-${nonce}'`,
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
  };
  return {
    "content-security-policy": Object.entries(policy)
      .map((directive) => directive.join(" "))
      .join("; "),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
}
