import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { sumUsage, UsagePart } from "../../usage/usage.ts";
import { access } from "../admission/access.ts";
import { requireEverything } from "../admission/operator.ts";
import type { ApiDeps } from "../api-deps.ts";
import { answers, Text } from "../schemas.ts";

const count = z.number().int();
const UsageSum = z
  .object({
    day: z.iso.date().optional().describe("the day in UTC"),
    key: z.string().nullable().optional().describe("the queue key, or null for runs without a key"),
    graph: z.string().optional(),
    model: z.string().optional(),
    calls: count,
    failed_calls: count.describe("calls that failed"),
    estimated_calls: count.describe("calls whose endpoint reported no tokens, so that their tokens are estimated"),
    unpriced_calls: count.describe("calls of models without a price, which count 0 dollars"),
    input_tokens: count,
    cached_tokens: count.describe("input tokens that the endpoint had cached; they are a part of `input_tokens`"),
    output_tokens: count,
    dollars: z.number(),
  })
  .meta({ id: "UsageSum" });

/** A day in UTC. Clients send a date, or a time on that day. */
const Day = z
  .union([z.iso.date(), z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString().slice(0, 10))])
  .describe("a date such as `2026-11-29`, or a time, whose day in UTC counts");

const parts = UsagePart.options.join(", ");
/** The names of the columns by which usage is summed, separated by commas. */
const By = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(z.enum(UsagePart.options, { error: `must be some of ${parts}, separated by commas` })).max(UsagePart.options.length))
  .transform((by) => [...new Set(by)])
  .optional()
  .describe(`the parts to sum by, separated by commas: some of ${parts}`);

const Query = z.object({
  by: By,
  since: Day.optional().describe("the first day; the default is 29 days ago"),
  until: Day.optional().describe("the last day; the default is today"),
  key: Text.max(200).optional().describe("only runs of this queue key"),
  graph: Text.max(200).optional().describe("only runs of this graph"),
  model: Text.max(1_000).optional().describe("only calls of this model"),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
});

/** Sums the tokens and dollars of model calls, for operators. */
export const usageRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool }) => {
  app.get(
    "/usage",
    { schema: { querystring: Query, response: answers(z.array(UsageSum)) }, config: access("threads:search") },
    async (request, reply) => {
      await requireEverything(request, "This is the usage of everybody's runs, and you see only your own. Ask with an API key.");
      const { by = [], ...filter } = request.query;
      return reply.send(await sumUsage(pool, { ...filter, by }));
    },
  );
};
