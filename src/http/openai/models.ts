import type { FastifyRequest } from "fastify";
import { type Assistant, findAssistant, findAssistantsByName, searchAssistants, toAssistantId } from "../../assistants/assistants.ts";
import { isId } from "../../db/ids.ts";
import type { Registry } from "../../registry/registry.ts";
import { isServedElsewhere } from "../../runs/absent.ts";
import { usableAssistants } from "../admission/access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { modelNotFound, refused } from "./errors.ts";

/** The list of models contains at most this many assistants, because OpenAI's list has no pages. */
const mostModels = 1_000;

/** An assistant in the form of OpenAI's models. `name` is the assistant's name, which chat UIs show. */
export interface Model {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  name: string;
  description: string | null;
}

/** Lists the assistants that the caller may see and whose graphs take messages, as models. */
export async function listModels(deps: ApiDeps, request: FastifyRequest): Promise<Model[]> {
  const { scope } = await request.access("assistants:search", {});
  const { rows } = await searchAssistants(deps.pool, scope, { limit: mostModels, offset: 0, sort_by: "created_at", sort_order: "asc" });
  const graphIds = [...new Set(rows.map(({ graph_id }) => graph_id))];
  const chats = new Set<string>();
  for (const graphId of graphIds) if (await canChat(deps, graphId)) chats.add(graphId);
  return rows.filter(({ graph_id }) => chats.has(graph_id)).map((assistant) => toModel(assistant, rows));
}

async function canChat({ pool, registry }: ApiDeps, graphId: string): Promise<boolean> {
  return registry.has(graphId) ? takesMessages(registry, graphId) : isServedElsewhere(pool, graphId);
}

/**
 * Returns an assistant in the form of a model. The id of the model depends on the assistant. A default assistant has the name of its graph
 * or preset as id. Any other assistant has its own name as id, or the assistant's id if several assistants have that name.
 */
function toModel(assistant: Assistant, all: Assistant[]): Model {
  const { assistant_id, graph_id, name, description, created_at } = assistant;
  const isUnique = all.filter((other) => other.name === name || other.graph_id === name).length === 1;
  const id = [graph_id, name].find((text) => toAssistantId(text) === assistant_id) ?? (isUnique ? name : assistant_id);
  return { id, object: "model", created: Math.floor(created_at.getTime() / 1_000), owned_by: "ensemble", name, description };
}

/**
 * Tells whether a graph's input has the field `messages`. Returns true for a graph without an input schema, because its fields are unknown.
 */
export async function takesMessages(registry: Registry, graphId: string): Promise<boolean> {
  const { input_schema } = await registry.schemas(graphId);
  return Object.keys(input_schema).length === 0 || Object.hasOwn(propertiesOf(input_schema), "messages");
}

/** Tells whether a graph's context has a field with this name. */
export async function hasContextField(registry: Registry, graphId: string, name: string): Promise<boolean> {
  const { context_schema } = await registry.schemas(graphId);
  return Object.hasOwn(propertiesOf(context_schema), name);
}

const propertiesOf = ({ properties }: Record<string, unknown>): object =>
  typeof properties === "object" && properties !== null ? properties : {};

/**
 * Returns the assistant that a request means with `model`: an assistant's id, the name of a graph or preset, or an assistant's name. Throws
 * if there is none, if several have this name, or if its graph takes no messages.
 */
export async function findModel(deps: ApiDeps, request: FastifyRequest, model: string): Promise<Assistant> {
  const assistant = (await findByKey(deps, request, model)) ?? (await findByName(deps, request, model));
  if (!assistant) throw modelNotFound(model);
  if (deps.registry.has(assistant.graph_id) && !(await takesMessages(deps.registry, assistant.graph_id)))
    throw refused(
      "model",
      `the graph "${assistant.graph_id}" has no input "messages", so it cannot be used as a model`,
      "unsupported_model",
    );
  return assistant;
}

async function findByKey({ pool }: ApiDeps, request: FastifyRequest, model: string): Promise<Assistant | undefined> {
  const id = toAssistantId(model);
  return findAssistant(pool, await usableAssistants(request, id, !isId(model) || id[14] === "5"), id);
}

async function findByName({ pool }: ApiDeps, request: FastifyRequest, model: string): Promise<Assistant | undefined> {
  if (isId(model)) return undefined;
  const { scope } = await request.access("assistants:search", { name: model });
  const [first, second] = await findAssistantsByName(pool, scope, model);
  if (second) throw refused("model", `several assistants have the name "${model}". Send the id of one of them.`, "ambiguous_model");
  return first;
}
