import { Command, Send } from "@langchain/langgraph";

/** A command for a graph, in the form that clients send. */
export interface WireCommand {
  update?: unknown;
  resume?: unknown;
  goto?: unknown;
}

/**
 * Returns LangGraph's command for a client's command. In `goto`, a target `{ node, input }` becomes a Send. A target without an input
 * becomes the node's name, because LangGraph ignores a Send without an input.
 */
export function toCommand({ update, resume, goto }: WireCommand): Command {
  const given = {
    ...(update !== undefined && update !== null && { update }),
    ...(resume !== undefined && resume !== null && { resume }),
    ...(goto !== undefined && goto !== null && { goto: Array.isArray(goto) ? goto.map(toTarget) : toTarget(goto) }),
  };
  return new Command(given as ConstructorParameters<typeof Command>[0]);
}

function toTarget(target: unknown): unknown {
  if (typeof target !== "object" || target === null || !("node" in target)) return target;
  const { node, input, args } = target as { node: unknown; input?: unknown; args?: unknown };
  const given = input ?? args;
  return given === undefined ? node : new Send(String(node), given);
}
