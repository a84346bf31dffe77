import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Item as StoredItem } from "../../store/item.ts";
import { deleteItem, listNamespaces } from "../../store/items.ts";
import { checkLabels, checkNamespace } from "../../store/namespace.ts";
import { Minutes } from "../../store/rules.ts";
import { getFromStore, putInStore, searchStore } from "../../store/use.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { readWithin } from "../memory.ts";
import { answers, Flag, Item, Json, Limit, Offset, OneOrMore, Text, Whole } from "../schemas.ts";

/** What a client leaves out, some write as null. */
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? undefined);

const Namespace = z.array(Text);
/** False: found by no query; else the fields that queries are compared with. Not a literal, which OpenAPI 3.0 does not know. */
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
  namespace_prefix: Namespace,
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
/** Handlers mark what they let be stored; nobody else can. Without a mark, those of the item that is there stay. */
const Marked = z.object({ metadata: Json.transform((marks) => (Object.keys(marks).length > 0 ? marks : undefined)) });

/** What graphs remember across threads, for callers from outside: items by name, searches, namespaces. A handler may lead them elsewhere. */
export const storeRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, store: rules, memory }) => {
  app.put("/store/items", { schema: { body: ItemPut }, config: access("store:put") }, async (request, reply) => {
    const { scope, value } = await request.access("store:put", { ...request.body, metadata: {} });
    checkNamespace(value.namespace);
    await putInStore(pool, scope, { rules }, { ...value, ...Marked.parse(value) });
    return reply.code(204).send();
  });

  app.get(
    "/store/items",
    { schema: { querystring: ItemQuery, response: answers(Item.nullable()) }, config: access("store:get") },
    async (request, reply) => {
      const { namespace: parts, key, refresh_ttl: refreshTtl } = request.query;
      const namespace = parts.flatMap((part) => (part === "" ? [] : part.split(".")));
      const { scope, value } = await request.access("store:get", { namespace, key });
      checkNamespace(value.namespace);
      const item = await getFromStore(pool, scope, { rules }, { ...value, refreshTtl });
      return reply.type("application/json").send(JSON.stringify(item ? toAnswer(item) : null)); // Fastify sends null as nothing at all
    },
  );

  app.delete("/store/items", { schema: { body: ItemDelete }, config: access("store:delete") }, async (request, reply) => {
    const { scope, value } = await request.access("store:delete", { ...request.body });
    checkNamespace(value.namespace);
    await deleteItem(pool, scope, undefined, value);
    return reply.code(204).send();
  });

  app.post(
    "/store/items/search",
    {
      schema: { body: ItemSearch, response: answers(z.object({ items: z.array(Item.extend({ score: z.number().optional() })) })) },
      config: access("store:search"),
    },
    async (request, reply) => {
      const { namespace_prefix, refresh_ttl: refreshTtl, ...search } = request.body;
      const { scope, value } = await request.access("store:search", { namespace: namespace_prefix, ...search });
      const { namespace: prefix, ...asked } = value;
      checkLabels(prefix);
      const read = (bytes: number) => searchStore(pool, scope, { rules }, { prefix, ...asked, refreshTtl, bytes });
      const { rows, isCut } = await readWithin(memory, reply, read);
      if (isCut) reply.header("x-pagination-next", String(asked.offset + rows.length));
      return reply.send({ items: rows.map(toAnswer) });
    },
  );

  app.post(
    "/store/namespaces",
    {
      schema: { body: NamespaceSearch, response: answers(z.object({ namespaces: z.array(z.array(z.string())) })) },
      config: access("store:list_namespaces"),
    },
    async (request, reply) => {
      const { prefix, ...asked } = request.body;
      const { scope, value } = await request.access("store:list_namespaces", { namespace: prefix ?? [], ...asked });
      const { namespace, suffix, max_depth: maxDepth, limit, offset } = value;
      const conditions = [condition("prefix", namespace), condition("suffix", suffix ?? [])];
      return reply.send({ namespaces: await listNamespaces(pool, scope, { conditions, maxDepth, limit, offset }) });
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
