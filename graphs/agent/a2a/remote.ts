import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { type RemoteAgent, readCard } from "./card.ts";
import { runErrand } from "./errand.ts";
import type { Said } from "./wire.ts";

/** A remote agent. Its card is read when the agent is first used. */
export interface OpenRemote {
  /** Returns a tool that gives the agent a task. If the agent cannot be reached, the description of the tool says so. */
  tool(): Promise<StructuredToolInterface>;
}

const Task = z.object({
  task: z.string().min(1).max(200_000).describe("What is to be done. The agent sees nothing else of this conversation."),
  continues: z.string().min(1).max(1_000).optional().describe("Id of the agent's task that asked for more. `task` is then the reply."),
});

/** Milliseconds after which a cached card is read again. */
const readForMs = 300_000;
/**
 * Milliseconds to wait before the card of an unreachable agent is read again. Without this pause, every round of the calling agent would
 * wait for the unreachable agent.
 */
const pauseMs = 15_000;

/** Returns a remote agent. All runs of a process share the returned object. */
export function openRemote(name: string, config: RemoteAgent): OpenRemote {
  let card: { read: ReturnType<typeof readCard>; at: number } | undefined;
  let failure: { reason: string; at: number } | undefined;

  async function read() {
    if (failure && Date.now() - failure.at < pauseMs) throw new Error(failure.reason);
    if (!card || Date.now() - card.at > readForMs) card = { read: readCard(config), at: Date.now() };
    try {
      return await card.read;
    } catch (error) {
      card = undefined;
      failure = { reason: `The remote agent "${name}" cannot be used: ${(error as Error).message}`, at: Date.now() };
      throw new Error(failure.reason);
    }
  }

  return {
    async tool() {
      const description = await read().then(
        (found) => `Gives a task to a remote agent. ${found.description}`,
        (error: Error) => `Not available at the moment. ${error.message}`,
      );
      return tool(
        async ({ task, continues }, options) => {
          const { endpoint } = await read();
          const { id } = Object((options as { toolCall?: unknown }).toolCall) as { id?: string };
          const said = await runErrand({ endpoint, text: task, continues, callId: id }, options).catch((error) => {
            card = undefined; // the agent may have moved, so the next use reads its card again
            throw error;
          });
          return describe(said);
        },
        { name: `a2a:${name}`, description, schema: Task },
      );
    },
  };
}

/** Returns the text that the model reads as the agent's answer. Throws if the agent has not done its task. */
function describe(said: Said): string {
  if ("answer" in said) return said.answer;
  const { taskId, state, text } = said;
  if (state === "completed") return text;
  const reason = text && `: ${text}`;
  if (state === "input-required") {
    return `The agent needs a reply before it can go on${reason}\nTo reply, call this tool again with "continues": "${taskId}" and the reply as "task".`;
  }
  if (state === "auth-required") throw new Error(`The agent needs an authorization that it does not have${reason}`);
  throw new Error(`The agent's task is ${state}${reason}`);
}
