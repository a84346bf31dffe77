import { type CallToolResult, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { FastifyError } from "fastify";
import { toAnswer } from "../answers/answer-errors.ts";
import type { McpRequest } from "./mcp-call.ts";

/** Returns the result of a call that failed. The model reads the text, and may call again with better arguments. */
export const failedResult = (text: string): CallToolResult => ({ content: [{ type: "text", text }], isError: true });

/** Returns the error for an invalid parameter, such as an id that does not exist or that the caller may not see. */
export const invalidParams = (sentence: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, sentence);

/** Returns the result of a call that could not start. Rethrows errors of the protocol, and errors that are faults of the service. */
export function refusedCall(mcp: McpRequest, error: unknown): CallToolResult {
  if (error instanceof ProtocolError) throw error;
  const { status, sentence } = toAnswer(error as FastifyError);
  if (status === 500) throw asProtocolError(mcp, error);
  return failedResult(sentence);
}

/**
 * Returns the error in the form that the protocol sends. An error that the caller did not cause is logged, and the client does not get its
 * message.
 */
export function asProtocolError({ deps: { log } }: McpRequest, error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { status, sentence } = toAnswer(error as FastifyError);
  if (status === 500) log.error({ err: error }, "MCP request failed");
  if (status >= 500) return new ProtocolError(ProtocolErrorCode.InternalError, sentence);
  const isAboutParams = status === 404 || status === 422;
  return new ProtocolError(isAboutParams ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InvalidRequest, sentence);
}
