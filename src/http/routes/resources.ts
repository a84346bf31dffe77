import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import { servedTopic } from "../../resources/broker.ts";
import { unknownSentence } from "../../resources/impossible.ts";
import { ResourceKind, ResourceLimit, ResourceName, toColumns } from "../../resources/limit.ts";
import { deleteResource, findResource, listResources, setLimit } from "../../resources/resources.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers } from "../schemas.ts";

const Holder = z.object({
  thread_id: z.string(),
  run_id: z.string(),
  state: z.enum(["held", "waiting"]),
  amount: z.number().int(),
  priority: z.number().int(),
  seconds: z.number(),
});

const Listed = z
  .object({
    name: z.string(),
    kind: ResourceKind,
    capacity: z.number().int(),
    limit: ResourceLimit,
    overridden: z.boolean(),
    held: z.number().int(),
    free: z.number().int(),
    waiting: z.number().int(),
    longest_wait_seconds: z.number(),
    contention: z.number().int(),
    holders: z.array(Holder),
  })
  .meta({ id: "Resource" });

const params = z.object({ name: ResourceName });
const seen = "Everybody's runs share the resources, and you see only your own runs. Ask with an API key.";
const changed = "Everybody's runs share the resources, and you may change only your own runs. Ask with an API key.";

/** Lists the resources that runs share, and changes their limits, for operators. */
export const resourceRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, wakeups, log, limits }) => {
  app.get("/resources", { schema: { response: answers(z.array(Listed)) }, config: access("threads:search") }, async (request, reply) => {
    await requireEverything(request, seen);
    return reply.send(await listResources(pool));
  });

  app.put(
    "/resources/:name",
    { schema: { params, body: ResourceLimit, response: answers(Listed) }, config: access("threads:update") },
    async (request, reply) => {
      await requireEverything(request, changed, "threads:update");
      const { name } = request.params;
      const { kind } = await found(name);
      if (toColumns(request.body).kind !== kind) throw new ServiceError("conflict", `"${name}" is a ${kind}, so set \`${kind}\`.`);
      await setLimit(pool, name, request.body);
      const { pool: units, rate } = request.body;
      log.warn({ user: request.user?.identity, resource: name, pool: units, rate }, "the limit of a resource was changed over the API");
      wakeups.notify(servedTopic);
      return reply.send(await found(name));
    },
  );

  app.delete("/resources/:name", { schema: { params }, config: access("threads:update") }, async (request, reply) => {
    await requireEverything(request, changed, "threads:update");
    const { name } = request.params;
    await found(name);
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    const isDone = limit ? await setLimit(pool, name, limit, false) : await deleteResource(pool, name);
    if (!isDone) throw new ServiceError("conflict", `Runs hold "${name}" or wait for it. Try again when they have ended.`);
    log.warn({ user: request.user?.identity, resource: name }, "the limit of a resource was reset over the API");
    wakeups.notify(servedTopic);
    return reply.code(204).send();
  });

  async function found(name: string) {
    const resource = await findResource(pool, name);
    if (resource) return resource;
    const names = (await listResources(pool)).map((one) => one.name);
    throw new ServiceError("not_found", unknownSentence(name, names));
  }
};
