import OpenAI from "openai";
import { vi } from "vitest";
import { makeProject } from "../command.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const own = ["plain", "classified", "wrapped", "drafting", "asking", "approving", "tooled", "failing", "silent"];
const shipped = ["chat", "react", "supervisor"];

interface Options {
  /** The `http` options of the project. */
  http?: object;
  env?: Record<string, string>;
  /** True if the graphs call the rehearsal model instead of the scripted one. */
  rehearses?: boolean;
}

/** Starts a service with graphs for OpenAI's clients, and a scripted model that all of them call. */
export async function startOpenAi({ http = {}, env = {}, rehearses = false }: Options = {}) {
  const graphs = {
    ...Object.fromEntries(own.map((name) => [name, `${import.meta.dirname}/graphs.ts:${name}`])),
    ...Object.fromEntries(shipped.map((name) => [name, `${import.meta.dirname}/../../graphs/${name}.ts:graph`])),
  };
  const project = await makeProject({ "langgraph.json": { graphs, http } });
  const model = await startModelServer();
  const endpoint: Record<string, string> = rehearses ? {} : { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test" };
  for (const name of ["OPENAI_BASE_URL", "OPENAI_API_KEY"]) vi.stubEnv(name, endpoint[name]);
  const service = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ...endpoint, ...env });
  const baseURL = `${service.urls[0]}/v1`;
  const openai = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
  return { ...service, model, openai, baseURL };
}
