import { z } from "zod";
import type { Registry } from "../../registry/registry.ts";
import { Text } from "../schemas.ts";
import { refused } from "./errors.ts";
import { hasContextField } from "./models.ts";

/** A tool that the caller executes itself, in the form of chat completions. */
export const CallerTool = z.looseObject({ type: Text, function: z.looseObject({ name: Text }).optional() });

export interface CallerTools {
  tools?: Json[] | null | undefined;
  tool_choice?: unknown;
}

type Json = Record<string, unknown>;

/** The context fields through which a graph gets the caller's tools and the caller's `tool_choice`. */
const toolsField = "client_tools";
const choiceField = "client_tool_choice";

/**
 * Returns the run's context with the tools of the caller, or null if the run gets no tools. If the graph's context has no field for tools,
 * the model does not see the caller's tools. That is allowed, because a model may always answer without a tool call. Throws if the caller
 * demands a tool call that the graph cannot make.
 */
export async function contextOf(registry: Registry, graphId: string, { tools, tool_choice: choice }: CallerTools): Promise<Json | null> {
  if (!tools?.length || choice === "none") return null;
  const isFree = choice === undefined || choice === null || choice === "auto";
  if (!(await hasContextField(registry, graphId, toolsField))) {
    if (isFree) return null;
    throw refused(
      "tool_choice",
      `the graph "${graphId}" takes no tools of callers. Its context needs the field "${toolsField}".`,
      "unsupported_tools",
    );
  }
  if (isFree) return { [toolsField]: tools };
  if (!(await hasContextField(registry, graphId, choiceField)))
    throw refused("tool_choice", `the graph "${graphId}" takes only "auto" and "none". Its context needs the field "${choiceField}".`);
  return { [toolsField]: tools, [choiceField]: choice };
}
