import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const shipped = fileURLToPath(new URL("../../langgraph.json", import.meta.url));

/** Starts a service with the shipped graphs, whose model is the scripted model. */
export async function startPatterns() {
  const model = await startModelServer();
  const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
  // The service and the model client read different variables. Both must find the endpoint, or the rehearsal model answers.
  for (const [name, value] of Object.entries(endpoint)) vi.stubEnv(name, value);
  const { client, db, fetch, urls } = await startTestService({ ENSEMBLE_CONFIG: shipped, ...endpoint });
  return { client, model, db, fetch, urls };
}
