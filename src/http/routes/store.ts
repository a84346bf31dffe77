import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Item as StoredItem } from "../../store/item.ts";
import { deleteItem, listNamespaces } from "../../store/items.ts";
import { checkLabels, checkNamespace } from "../../store/namespace.ts";
import { Minutes } from "../../store/rules.ts";
import { getFromStore, putInStore, searchStore } from "../../store/use.ts";
import { access } from "../access.ts";
import type { ApiRooms } from "../rooms.ts";
import { answers, Flag, Item, Json, Limit, Offset, OneOrMore, Text, Whole } from "../schemas.ts";

/** False: found by no query; else the fields that queries are compared with. Not a literal, which OpenAPI 3.0 does not know. */
const Index = z.union([
  z
    .boolean()
    .refine((flag) => !flag, "expected false or fields")
    .transform(() => false as const),
  z.array(Text).max(50),
]);
const Namespace = z.array(Text);
const ItemQuery = z.object({ namespace: OneOrMore(Text).default([]), key: Text, refresh_ttl: Flag.optional() });
const ItemPut = z.object({ namespace: Namespace, key: Text, value: Json, index: Index.nullish(), ttl: Minutes.nullish() });
const ItemDelete = z.object({ namespace: Namespace.default([]), key: Text });
const ItemSearch = z.object({
  namespace_prefix: Namespace,
  filter: Json.nullish(),
  query: Text.nullish(),
  limit: Limit,
  offset: Offset,
  refresh_ttl: z.boolean().nullish(),
});
const NamespaceSearch = z.object({
  prefix: Namespace.nullish(),
  suffix: Namespace.nullish(),
  max_depth: Whole(1, 1_000).nullish(),
  limit: Whole(1, 1_000).default(100),
  offset: Offset,
});

/** What graphs remember across threads, for callers from outside: items by name, searches, namespaces. */
export const storeRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, store: rules }) => {
  app.put("/store/items", { schema: { body: ItemPut }, config: access("store:put") }, async (request, reply) => {
    const { value: body } = await request.access("store:put", request.body);
    checkNamespace(body.namespace);
    await putInStore(pool, { rules }, { ...body, index: body.index ?? undefined });
    return reply.code(204).send();
  });

  app.get(
    "/store/items",
    { schema: { querystring: ItemQuery, response: answers(Item.nullable()) }, config: access("store:get") },
    async (request, reply) => {
      const { namespace: parts, key, refresh_ttl: refreshTtl } = request.query;
      const namespace = parts.flatMap((part) => (part === "" ? [] : part.split(".")));
      await request.access("store:get", { namespace, key });
      checkNamespace(namespace);
      const item = await getFromStore(pool, { rules }, { namespace, key, refreshTtl });
      return reply.type("application/json").send(JSON.stringify(item ? toAnswer(item) : null)); // Fastify sends null as nothing at all
    },
  );

  app.delete("/store/items", { schema: { body: ItemDelete }, config: access("store:delete") }, async (request, reply) => {
    const { value: body } = await request.access("store:delete", request.body);
    checkNamespace(body.namespace);
    await deleteItem(pool, undefined, body);
    return reply.code(204).send();
  });

  app.post(
    "/store/items/search",
    {
      schema: { body: ItemSearch, response: answers(z.object({ items: z.array(Item.extend({ score: z.number().optional() })) })) },
      config: access("store:search"),
    },
    async (request, reply) => {
      const { namespace_prefix: prefix, filter, query, limit, offset, refresh_ttl } = request.body;
      await request.access("store:search", { namespace: prefix, filter, query, limit, offset });
      checkLabels(prefix);
      const search = {
        prefix,
        filter: filter ?? undefined,
        query: query ?? undefined,
        limit,
        offset,
        refreshTtl: refresh_ttl ?? undefined,
      };
      const items = await searchStore(pool, { rules }, search);
      return reply.send({ items: items.map(toAnswer) });
    },
  );

  app.post(
    "/store/namespaces",
    {
      schema: { body: NamespaceSearch, response: answers(z.object({ namespaces: z.array(z.array(z.string())) })) },
      config: access("store:list_namespaces"),
    },
    async (request, reply) => {
      const { prefix, suffix, max_depth, limit, offset } = request.body;
      await request.access("store:list_namespaces", { namespace: prefix ?? [], suffix, max_depth, limit, offset });
      const conditions = [condition("prefix", prefix ?? []), condition("suffix", suffix ?? [])];
      const namespaces = await listNamespaces(pool, { conditions, maxDepth: max_depth ?? undefined, limit, offset });
      return reply.send({ namespaces });
    },
  );
};

function condition(matchType: "prefix" | "suffix", path: string[]) {
  checkLabels(path);
  return { matchType, path };
}

function toAnswer({ createdAt, updatedAt, ...item }: StoredItem) {
  return { ...item, created_at: createdAt, updated_at: updatedAt };
}
