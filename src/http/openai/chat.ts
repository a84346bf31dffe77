import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { Json, Text } from "../schemas.ts";
import { chunksOf, completionOf } from "./completion.ts";
import { threadOf, toRun } from "./conversation.ts";
import { refused } from "./errors.ts";
import { askRun } from "./follow-answer.ts";
import { ChatMessage } from "./messages.ts";
import { findModel } from "./models.ts";
import { type OpenAiDeps, sendAnswer, streamAnswer } from "./send-answer.ts";
import { CallerTool } from "./tools.ts";

/** The body of a chat completion. Fields about sampling, such as `temperature`, are ignored, because the graph chooses its models. */
export const ChatCreate = z.object({
  model: Text.min(1),
  messages: z.array(ChatMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.number().int().nullish(),
  tools: z.array(CallerTool).max(128).nullish(),
  tool_choice: z.unknown().optional(),
  user: Text.nullish(),
  metadata: Json.nullish(),
});

type ChatBody = z.output<typeof ChatCreate>;

/** Answers a chat completion with the answer of a run. */
export async function complete(deps: OpenAiDeps, request: FastifyRequest, reply: FastifyReply, body: ChatBody): Promise<void> {
  if ((body.n ?? 1) !== 1) throw refused("n", "a graph gives one answer, so n must be 1");
  const assistant = await findModel(deps, request, body.model);
  const threadId = threadOf(deps, request, { ...body, assistant });
  const run = await toRun(deps, request, { ...body, assistant, threadId });
  const streams = body.stream ?? false;
  const asked = await askRun(deps, { request, body: run, graphId: assistant.graph_id, threadId, streams });
  const frame = { id: `chatcmpl-${asked.run.run_id}`, created: Math.floor(Date.now() / 1_000), model: body.model };
  if (streams) return streamAnswer(deps, reply, asked, chunksOf(frame, body.stream_options?.include_usage ?? false));
  return sendAnswer(reply, asked, (answer) => completionOf(frame, answer));
}
