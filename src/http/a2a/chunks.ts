import type { Part, StreamResponse } from "@a2a-js/sdk";
import { z } from "zod";
import type { RunEvent } from "../../events/log.ts";
import type { TaskRun } from "../../runs/tasks.ts";
import { partsOf } from "./parts.ts";
import { artifact } from "./task-result.ts";

/** The event of the stream mode `messages-tuple`: a chunk of a message, and its metadata. */
const Chunk = z.tuple([z.looseObject({ type: z.string(), id: z.string(), content: z.unknown() })]).rest(z.unknown());

/**
 * Returns a function that turns the events of a run into chunks of artifacts. Each message of the agent is an artifact, whose id is the
 * message's id.
 */
export function createChunks({ taskId, threadId }: TaskRun) {
  const begun = new Set<string>();
  const update = (id: string, parts: Part[]): StreamResponse => {
    const value = {
      taskId,
      contextId: threadId,
      artifact: artifact(id, "answer", parts),
      append: begun.has(id),
      lastChunk: false,
      metadata: undefined,
    };
    begun.add(id);
    return { payload: { $case: "artifactUpdate", value } };
  };

  return ({ event, data }: RunEvent): StreamResponse[] => {
    if (event !== "messages") return [];
    const { success, data: tuple } = Chunk.safeParse(JSON.parse(data));
    if (!success || !/^(ai|AIMessageChunk)$/.test(tuple[0].type)) return [];
    const [{ id, content }] = tuple;
    const parts = partsOf(content);
    return parts.length > 0 ? [update(id, parts)] : [];
  };
}
