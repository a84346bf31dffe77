import type { Hono } from "hono";
import { describeImportFailure } from "./import-failure.ts";
import { importUserModule } from "./modules.ts";
import type { Source } from "./project.ts";

export type FetchHandler = (request: Request, env: unknown) => unknown;

/** The project's own app, which receives each request before our routes. It is a Hono app, or any other handler of web requests. */
export type UserApp = { hono: Hono } | { handler: FetchHandler };

/** Loads the app that `http.app` names. Throws an error that names the file if the file cannot be imported, or if its export is no app. */
export async function loadUserApp({ file, exportName }: Source): Promise<UserApp> {
  const module = await importUserModule(file).catch(async (error: unknown) => {
    throw new Error(`http.app (${file}) could not be imported: ${await describeImportFailure(error)}`, { cause: error });
  });
  const exported = module[exportName];
  if (exported === undefined)
    throw new Error(`http.app (${file}) has no export "${exportName}"; it exports ${Object.keys(module).join(", ") || "nothing"}.`);
  if (isHono(exported)) return { hono: exported };
  if (typeof exported === "function") return { handler: exported as FetchHandler };
  if (isRecord(exported) && typeof exported.fetch === "function") return { handler: exported.fetch.bind(exported) };
  throw new Error(
    `http.app (${file}) is not an app: export a Hono app, a function (request) => Response, or an object with a fetch method.`,
  );
}

/** Tells whether a value is a Hono app. Checks the properties and not the class, because the project may use its own copy of Hono. */
function isHono(value: unknown): value is Hono {
  return isRecord(value) && typeof value.fetch === "function" && typeof value.route === "function" && Array.isArray(value.routes);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
