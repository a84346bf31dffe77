import { defineSkill } from "ensemble/patterns";
import { z } from "zod";

/** A skill of the project: doubles numbers. */
export const skills = [
  defineSkill({
    name: "doubling",
    result: z.number(),
    generate: ({ size }) => Array.from({ length: size }, (_, index) => index),
    invoke: async (batch: number[]) => batch.map((one) => 2 * one),
    score: (results) => ({ done: results.length > 0 ? 1 : 0 }),
  }),
];
