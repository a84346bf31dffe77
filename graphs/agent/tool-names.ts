import { z } from "zod";
import { projectTools } from "./project.ts";

/** The tools that come with the patterns. */
export const builtInTools = ["calculate", "now", "fetch_page", "ask_human", "remember", "recall"] as const;
export type BuiltInTool = (typeof builtInTools)[number];

/** The name of a tool that a context may use: one of the patterns' own, or one that the project defines. */
export const ToolName = z
  .string()
  .min(1)
  .max(200)
  .superRefine((name, context) => {
    if ((builtInTools as readonly string[]).includes(name) || projectTools.has(name)) return;
    const known = [...builtInTools, ...projectTools.names()];
    context.addIssue({ code: "custom", message: `there is no tool "${name}"; there are ${known.join(", ")}` });
  });
