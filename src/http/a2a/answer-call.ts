import type { AgentCard } from "@a2a-js/sdk";
import { isV1JsonRpcMethod } from "@a2a-js/sdk/compat/v0_3";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import { VersionNotSupportedError } from "@a2a-js/sdk/errors";
import { type A2ARequestHandler, JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import type { FastifyRequest } from "fastify";
import { openEventStream } from "../sse/sse.ts";
import type { A2aCall } from "./a2a-call.ts";
import type { Failure } from "./a2a-errors.ts";
import { createHandler } from "./handler.ts";
import { objectionToParams } from "./params.ts";
import { answerSlowly } from "./slow-answer.ts";

/** The header, and the query parameter, in which a client names the protocol's version. */
const versionHeader = "a2a-version";
const speakers = { "1.0": JsonRpcTransportHandler, "0.3": LegacyJsonRpcTransportHandler };
type Version = keyof typeof speakers;

/**
 * Returns the version of the protocol that a request speaks. Without a version, the name of the method decides, because clients of version
 * 0.3 name no version.
 */
export function versionOf({ headers, query }: FastifyRequest, method: unknown): Version | undefined {
  const given = headers[versionHeader] ?? Object(query)["A2A-Version"];
  if (given === undefined || given === "") return isV1JsonRpcMethod(method) ? "1.0" : "0.3";
  const [, version] = /^(0\.3|1\.0)(\.\d+)?$/.exec(String(given).trim()) ?? [];
  return version as Version | undefined;
}

/** Answers a JSON-RPC request of either version of the protocol. */
export async function answerCall(asked: Omit<A2aCall, "version">, card: () => Promise<AgentCard>): Promise<unknown> {
  const { request, reply } = asked;
  const body = Object(request.body) as Record<string, unknown>;
  const version = versionOf(request, body.method);
  const call: A2aCall = { ...asked, version: version ?? "1.0" };
  const failure: Failure = {};
  const objection = version ? objectionToParams(body.method, body.params) : unknownVersion();
  const mapError = errorsOf(version);
  const answer: Promise<unknown> =
    version && !objection
      ? handleWith(version, createHandler(call, failure, card), body)
      : Promise.resolve({ jsonrpc: "2.0", id: idOf(body), error: mapError(objection) });
  const said = await answerSlowly(reply, answer, failure);
  if (said === undefined) return reply; // the answer was slow, so `answerSlowly` has already sent it
  if (!isStream(said)) return reply.send(said);
  return streamAnswer(call, { body, stream: said, failure, mapError });
}

const unknownVersion = () => new VersionNotSupportedError("This agent speaks the versions 1.0 and 0.3 of the protocol.");
const idOf = ({ id }: Record<string, unknown>) => (typeof id === "string" || typeof id === "number" ? id : null);
const isStream = (said: unknown): said is AsyncGenerator<unknown> => Symbol.asyncIterator in Object(said);
const errorsOf = (version: Version | undefined) =>
  version === "0.3" ? LegacyJsonRpcTransportHandler.mapToLegacyJSONRPCError : JsonRpcTransportHandler.mapToJSONRPCError;

const handleWith = (version: Version, handler: A2ARequestHandler, body: Record<string, unknown>) =>
  new speakers[version](handler).handle(body, new ServerCallContext({ requestedVersion: version }));

interface Streamed {
  body: Record<string, unknown>;
  stream: AsyncGenerator<unknown>;
  failure: Failure;
  mapError: (error: unknown) => unknown;
}

/**
 * Sends a stream of answers as server-sent events. If an error occurs before the first answer, responds with the error and opens no stream.
 * If an error occurs later, breaks the connection, so that the client subscribes again.
 */
async function streamAnswer(call: A2aCall, { body, stream, failure, mapError }: Streamed): Promise<unknown> {
  const { deps, reply } = call;
  let next: IteratorResult<unknown>;
  try {
    next = await stream.next();
  } catch (error) {
    if (failure.error !== undefined) throw failure.error;
    return reply.send({ jsonrpc: "2.0", id: idOf(body), error: mapError(error) });
  }
  const out = openEventStream(reply, deps.settings.stalledSeconds);
  try {
    for (let id = 0; !next.done && !out.gone.aborted; id++) {
      await out.send([{ id, event: "message", data: JSON.stringify(next.value) }]);
      next = await stream.next();
    }
    if (!out.gone.aborted) out.end();
  } catch (err) {
    deps.log.debug({ err }, "a2a stream cut");
    out.cut();
  } finally {
    await stream.return(undefined);
  }
  return reply;
}
