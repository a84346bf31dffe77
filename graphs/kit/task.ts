import { z } from "zod";

const longestTask = 100_000;
const longestMaterial = 1_000_000;

/** The task of a pattern. The limit is longer than any sensible task, and no model reads megabytes. */
export const Task = z.string().trim().min(1).max(longestTask);

/** The material of a task, with a generous limit. */
export const Material = z
  .unknown()
  .optional()
  .refine((material) => (JSON.stringify(material)?.length ?? 0) <= longestMaterial, `longer than ${longestMaterial} characters of JSON`);
