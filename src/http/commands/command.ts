import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import { ServiceError } from "../../errors.ts";
import { refuseIssues } from "../answers/issues.ts";
import type { ApiDeps } from "../api-deps.ts";

/** What can be wrong with a command, in the words of the protocol. */
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

/** A command that cannot be carried out as it was given: the caller's mistake, answered by the protocol's own means. */
export class CommandError extends ServiceError {
  readonly reason: CommandErrorCode;

  constructor(reason: CommandErrorCode, sentence: string) {
    super("invalid", sentence);
    this.name = "CommandError";
    this.reason = reason;
  }
}

/** The form that every command has. */
export const Command = z.object({
  id: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  method: z.string().min(1).max(100),
  params: z.unknown().optional(),
});
export type Command = z.output<typeof Command>;

/** What a command is carried out with. */
export interface CommandScope {
  deps: ApiDeps;
  /** By which further decisions about the caller are taken. */
  request: FastifyRequest;
  threadId: string;
  /** Which threads the caller may read. */
  readable: Scope;
}

export type Method = (scope: CommandScope, params: unknown) => Promise<object>;

/** A method that gets its parameters parsed. */
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
