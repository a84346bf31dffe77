import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const shipped = fileURLToPath(new URL("../../langgraph.json", import.meta.url));

/** The service with the graphs that come with it, and the far end of their model in the test's hand. */
export async function startPatterns() {
  const model = await startModelServer();
  const endpoint = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
  // The service reads its settings, and the model client its own: both must find the endpoint, or the rehearsal model answers.
  for (const [name, value] of Object.entries(endpoint)) vi.stubEnv(name, value);
  const { client, db } = await startTestService({ ENSEMBLE_CONFIG: shipped, ...endpoint });
  return { client, model, db };
}
