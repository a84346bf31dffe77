import { z } from "zod";

const longestTask = 100_000;
const longestMaterial = 1_000_000;

/** What a pattern is to do. Nobody writes megabytes of that, and no model reads them. */
export const Task = z.string().trim().min(1).max(longestTask);

/** Anything to do it with, as long as it is not longer than anything could use. */
export const Material = z
  .unknown()
  .optional()
  .refine((material) => (JSON.stringify(material)?.length ?? 0) <= longestMaterial, `longer than ${longestMaterial} characters of JSON`);
