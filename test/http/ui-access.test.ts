import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const app = `
import { Hono } from "hono";
export const app = new Hono();
app.get("/ui/*", (c) => c.text("the app's own"));
`;
const auth = `
export const auth = { "~handlerCache": { authenticate: (request) => (request.headers.get("x-key") === "good" ? "ann" : null) } };
`;

/** Starts a project whose app has routes below /ui/, with a bundle of components and an auth. */
async function start(http: object) {
  const project = await makeProject({
    "app.mjs": app,
    "auth.mjs": auth,
    "ui.tsx": "export default { chart: () => <div>a chart</div> };",
    "langgraph.json": {
      graphs: { steps: `${import.meta.dirname}/../graphs/steps.ts:graph` },
      auth: { path: "./auth.mjs:auth" },
      http: { app: "./app.mjs:app", ...http },
      ui: { "my agent": "./ui.tsx" },
    },
  });
  const { fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  return (path: string, headers: Record<string, string> = {}) => fetch(path, { headers }).then(({ status }) => status);
}

test.each(["auth_first", "middleware_first"])("with %s only a bundle's own files are public below /ui/", async (order) => {
  const statusOf = await start({ middleware_order: order });
  for (const path of [
    "/ui/admin",
    "/ui/my%20agent",
    "/ui/my%20agent/secrets",
    "/ui/my%20agent/entrypoint.js/x",
    "/ui/my%20agent%2fentrypoint.js",
    "/ui/%ff/x",
  ]) {
    expect([path, await statusOf(path)]).toEqual([path, 401]);
    expect([path, await statusOf(path, { "x-key": "good" })]).toEqual([path, 200]);
  }
  expect(await statusOf("/ui/my%20agent/entrypoint.js")).toBe(200);
});
