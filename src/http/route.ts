import type { IncomingMessage } from "node:http";
import type { FastifyRequest, FastifySchema, RawServerDefault, RouteGenericInterface } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";

/** The request of a route with this schema, with parsed body, params, query and headers. */
export type RequestOf<Schema extends FastifySchema> = FastifyRequest<
  RouteGenericInterface,
  RawServerDefault,
  IncomingMessage,
  Schema,
  ZodTypeProvider
>;
