import { z } from "zod";
import { isProjectTool, projectToolNames } from "./project.ts";

/** The tools that come with the patterns. */
export const builtInTools = ["calculate", "now", "fetch_page", "ask_human", "remember", "recall"] as const;
export type BuiltInTool = (typeof builtInTools)[number];

export const isBuiltIn = (name: string): name is BuiltInTool => (builtInTools as readonly string[]).includes(name);

/** The schema of a tool name in a context. The patterns or the project must define the tool. */
export const ToolName = z
  .string()
  .min(1)
  .max(200)
  .superRefine((name, context) => {
    if (isBuiltIn(name) || isProjectTool(name)) return;
    const known = [...builtInTools, ...projectToolNames()];
    context.addIssue({ code: "custom", message: `there is no tool "${name}"; there are ${known.join(", ")}` });
  });

/** Returns the name of a tool for models. Slashes and colons are replaced, because models do not allow them in names. */
export const callName = (name: string): string => name.replace(/[^\w-]+/g, "__").slice(0, 64);
