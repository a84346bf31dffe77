import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Item as StoredItem } from "../../store/item.ts";
import { deleteItem, listNamespaces } from "../../store/items.ts";
import { checkLabels, checkNamespace } from "../../store/namespace.ts";
import { Minutes } from "../../store/store-rules.ts";
import { embedSearch, getFromStore, putInStore, searchStore } from "../../store/use.ts";
import { access } from "../admission/access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import type { RequestOf } from "../route.ts";
import { answers, Flag, Item, Json, Limit, Offset, OneOrMore, Text, Whole } from "../schemas.ts";

/** Returns a schema for an optional field that also accepts null, because some clients send null for a missing field. */
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? undefined);

const Namespace = z.array(Text);
/**
 * The fields of an item that are indexed for searches by meaning, or false for no fields. The schema says boolean, because OpenAPI 3.0 has
 * no literal false.
 */
const Index = z.union([
  z
    .boolean()
    .refine((flag) => !flag, "expected false or fields")
    .transform(() => false as const),
  z.array(Text).max(50),
]);
const ItemQuery = z.object({ namespace: OneOrMore(Text).default([]), key: Text, refresh_ttl: Flag.optional() });
const ItemPut = z.object({ namespace: Namespace, key: Text, value: Json, index: optional(Index), ttl: Minutes.nullish() });
const ItemDelete = z.object({ namespace: Namespace.default([]), key: Text });
const ItemSearch = z.object({
  namespace_prefix: Namespace.nullish().transform((prefix) => prefix ?? []),
  filter: optional(Json),
  query: optional(Text),
  limit: Limit,
  offset: Offset,
  refresh_ttl: optional(z.boolean()),
});
const NamespaceSearch = z.object({
  prefix: Namespace.nullish(),
  suffix: Namespace.nullish(),
  max_depth: optional(Whole(1, 1_000)),
  limit: Whole(1, 1_000).default(100),
  offset: Offset,
});
/**
 * The metadata that an auth handler has added to an item. Undefined if it has added none, in which case an item that is already stored
 * keeps its metadata.
 */
const Marked = z.object({ metadata: Json.transform((marks) => (Object.keys(marks).length > 0 ? marks : undefined)) });

const getSchema = { querystring: ItemQuery, response: answers(Item.nullable()) };
const putSchema = { body: ItemPut };
const deleteSchema = { body: ItemDelete };
const searchSchema = { body: ItemSearch, response: answers(z.object({ items: z.array(Item.extend({ score: z.number().optional() })) })) };
const namespacesSchema = { body: NamespaceSearch, response: answers(z.object({ namespaces: z.array(z.array(z.string())) })) };

/** The routes for the store that graphs use: its items, searches and namespaces. An auth handler may change the namespace of a request. */
export const storeRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.put("/store/items", { schema: putSchema, config: access("store:put") }, (request, reply) => put(deps, request, reply));
  app.get("/store/items", { schema: getSchema, config: access("store:get") }, (request, reply) => get(deps, request, reply));
  app.delete("/store/items", { schema: deleteSchema, config: access("store:delete") }, (request, reply) => remove(deps, request, reply));
  app.post("/store/items/search", { schema: searchSchema, config: access("store:search") }, (request, reply) =>
    search(deps, request, reply),
  );
  app.post("/store/namespaces", { schema: namespacesSchema, config: access("store:list_namespaces") }, (request, reply) =>
    searchNamespaces(deps, request, reply),
  );
};

async function put({ pool, store: rules }: ApiDeps, request: RequestOf<typeof putSchema>, reply: FastifyReply) {
  const { scope, value } = await request.access("store:put", { ...request.body, metadata: {} });
  checkNamespace(value.namespace);
  await putInStore(pool, scope, { rules }, { ...value, ...Marked.parse(value) });
  return reply.code(204).send();
}

async function get({ pool, store: rules }: ApiDeps, request: RequestOf<typeof getSchema>, reply: FastifyReply) {
  const { namespace: parts, key, refresh_ttl: refreshTtl } = request.query;
  const namespace = parts.flatMap((part) => (part === "" ? [] : part.split(".")));
  const { scope, value } = await request.access("store:get", { namespace, key });
  checkNamespace(value.namespace);
  const item = await getFromStore(pool, scope, { rules }, { ...value, refreshTtl });
  return reply.type("application/json").send(JSON.stringify(item ? toAnswer(item) : null)); // Fastify would send null as an empty body
}

async function remove({ pool }: ApiDeps, request: RequestOf<typeof deleteSchema>, reply: FastifyReply) {
  const { scope, value } = await request.access("store:delete", { ...request.body });
  checkNamespace(value.namespace);
  await deleteItem(pool, scope, undefined, value);
  return reply.code(204).send();
}

async function search({ pool, store: rules, memory }: ApiDeps, request: RequestOf<typeof searchSchema>, reply: FastifyReply) {
  const { namespace_prefix, refresh_ttl: refreshTtl, ...query } = request.body;
  const { scope, value } = await request.access("store:search", { namespace: namespace_prefix, ...query });
  const { namespace: prefix, ...asked } = value;
  checkLabels(prefix);
  const meaning = await embedSearch({ rules }, asked.query);
  const read = (bytes: number) => searchStore(pool, scope, { rules }, { prefix, ...asked, meaning, refreshTtl, bytes });
  const { rows, isCut } = await readWithin(memory, reply, read);
  if (isCut) reply.header("x-pagination-next", String(asked.offset + rows.length));
  return reply.send({ items: rows.map(toAnswer) });
}

async function searchNamespaces({ pool }: ApiDeps, request: RequestOf<typeof namespacesSchema>, reply: FastifyReply) {
  const { prefix, ...asked } = request.body;
  const { scope, value } = await request.access("store:list_namespaces", { namespace: prefix ?? [], ...asked });
  const { namespace, suffix, max_depth: maxDepth, limit, offset } = value;
  const conditions = [condition("prefix", namespace), condition("suffix", suffix ?? [])];
  return reply.send({ namespaces: await listNamespaces(pool, scope, { conditions, maxDepth, limit, offset }) });
}

function condition(matchType: "prefix" | "suffix", path: string[]) {
  checkLabels(path);
  return { matchType, path };
}

function toAnswer({ createdAt, updatedAt, ...item }: StoredItem) {
  return { ...item, created_at: createdAt, updated_at: updatedAt };
}
