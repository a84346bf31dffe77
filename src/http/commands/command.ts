import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { refuseIssues } from "../answers/issues.ts";
import type { ApiDeps } from "../api-deps.ts";

/** The protocol's error codes for commands. */
export type CommandErrorCode =
  | "invalid_argument"
  | "unknown_command"
  | "unknown_error"
  | "no_such_run"
  | "no_such_subscription"
  | "no_such_namespace"
  | "no_such_interrupt"
  | "no_such_checkpoint"
  | "permission_denied"
  | "not_supported";

/** An error that the caller of a command caused. The response is an error in the protocol's form. */
export class CommandError extends ServiceError {
  readonly reason: CommandErrorCode;

  constructor(reason: CommandErrorCode, sentence: string) {
    super("invalid", sentence);
    this.name = "CommandError";
    this.reason = reason;
  }
}

/** The fields of every command. */
export const Command = z.object({
  id: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  method: z.string().min(1).max(100),
  params: z.unknown().optional(),
});
export type Command = z.output<typeof Command>;

/** The origin of a command: the request or socket that sent it, and the command's thread. */
export interface CommandSource {
  deps: ApiDeps;
  /**
   * The HTTP request that carries the command or has opened the socket. Its credentials identify the caller for each later action that auth
   * must allow.
   */
  request: FastifyRequest;
  threadId: string;
}

/** The origin of a command, and the scope of the threads that its caller may read. */
export interface CommandScope extends CommandSource {
  /** The scope of the threads that the caller may read. */
  readable: Scope;
}

export type Method = (scope: CommandScope, params: unknown) => Promise<object>;

/** Returns the method of a command. The method validates the parameters and then calls `perform`. */
export function withParams<Params extends z.ZodType>(
  schema: Params,
  perform: (scope: CommandScope, params: z.output<Params>) => Promise<object>,
): Method {
  return async (scope, given) => {
    const params = schema.safeParse(given ?? {});
    if (params.success) return perform(scope, params.data);
    refuseIssues(params.error.issues.map((issue) => ({ ...issue, path: ["params", ...issue.path] })));
    throw new ServiceError("invalid", "The parameters of this command are not as they should be.");
  };
}
