import { z } from "zod";
import { longestComment, longestKey, mostKeys } from "../../feedback/feedback.ts";
import { Id, Json, Text } from "../schemas.ts";

export const FeedbackKey = Text.min(1).max(longestKey);
/** The keys under which people may give feedback about a run. */
export const FeedbackKeys = z.array(FeedbackKey).max(mostKeys);

const Comment = Text.max(longestComment);
const toScore = (score: number | boolean) => Number(score);

/** The body of a request that gives feedback through a URL. It has the same fields as a request to a feedback URL of LangSmith. */
export const FeedbackGiven = z.object({
  score: z.union([z.number(), z.boolean().transform(toScore)]).nullish(),
  value: z.union([Comment, z.number(), z.boolean(), Json]).nullish(),
  comment: Comment.nullish(),
  correction: z.union([Comment, Json]).nullish(),
  metadata: Json.nullish(),
});

/** A score in a query: a decimal number, or true and false for 1 and 0. */
const ScoreInQuery = z
  .string()
  .regex(/^(true|false|[+-]?\d{1,15}(\.\d{1,15})?)$/, "expected a number, true or false")
  .transform((text) => (text === "true" ? 1 : text === "false" ? 0 : Number(text)));

/** The query parameters of a link that gives feedback when a person opens it. */
export const FeedbackInQuery = z.object({
  score: ScoreInQuery.optional(),
  value: Comment.optional(),
  comment: Comment.optional(),
  correction: Comment.optional(),
});

/** The feedback of one run under one key. */
export const Feedback = z
  .object({
    run_id: Id,
    thread_id: Id,
    assistant_id: Id,
    graph_id: z.string().nullable(),
    key: z.string(),
    score: z.number().nullable(),
    value: z.unknown(),
    comment: z.string().nullable(),
    correction: z.unknown(),
    metadata: Json.nullable(),
    given_at: z.iso.datetime().nullable().describe("when it was given first. Null if nobody has used the URL"),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Feedback" });

/** The feedback of a run under one key, with a URL to give or change it. */
export const FeedbackWithUrl = Feedback.extend({ url: z.string(), expires_at: z.iso.datetime() }).meta({ id: "FeedbackWithUrl" });

/** The response to a person who has given feedback. It contains the person's score, value and comment as they are stored now. */
export const FeedbackTaken = Feedback.pick({ run_id: true, key: true, score: true, value: true, comment: true, updated_at: true }).meta({
  id: "FeedbackTaken",
});
