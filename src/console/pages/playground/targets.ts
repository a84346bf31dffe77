import { useSearchParams } from "wouter";
import { answerOf, api, type Schemas } from "../../api.ts";
import { useLive } from "../../live.ts";
import { isObject } from "../../parts/json-schema.ts";
import { usePastRuns } from "./history.ts";

export type Assistant = Schemas["Assistant"];

export interface Group {
  title: string;
  assistants: Assistant[];
}

const isSystem = ({ metadata }: Assistant) => isObject(metadata) && metadata.created_by === "system";
const isPreset = (assistant: Assistant) => isSystem(assistant) && isObject(assistant.metadata) && "preset" in assistant.metadata;
export const isGraph = (assistant: Assistant): boolean => isSystem(assistant) && !isPreset(assistant);

/** Reads all assistants. The service makes one assistant for each graph, so the list contains all graphs. */
export const useAssistants = () =>
  useLive(["assistants"], (signal) => answerOf(api.POST("/assistants/search", { body: { limit: 1_000 }, signal })), { every: 60_000 });

/** Returns the assistants in groups, sorted by name. Leaves out assistants that do not match the words of the search. */
export function groupsOf(assistants: Assistant[], search: string): Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const textOf = ({ name, graph_id, description }: Assistant) => `${name} ${graph_id} ${description ?? ""}`.toLowerCase();
  const found = assistants
    .filter((assistant) => words.every((word) => textOf(assistant).includes(word)))
    .toSorted((one, other) => one.name.localeCompare(other.name));
  const groups = [
    { title: "Assistants", assistants: found.filter((one) => !isSystem(one)) },
    { title: "Graphs", assistants: found.filter(isGraph) },
    { title: "Presets", assistants: found.filter(isPreset) },
  ];
  return groups.filter((group) => group.assistants.length > 0);
}

/**
 * Returns the assistant that the URL names. If the URL names none, returns the assistant that ran last, or else the assistant of the first
 * graph. Also returns a function that chooses another assistant.
 */
export function useTarget(assistants: Assistant[]): {
  target: Assistant | undefined;
  unknown: string | undefined;
  choose: (to: Assistant) => void;
} {
  const [search, setSearch] = useSearchParams();
  const [lastRun] = usePastRuns();
  const [id, graph] = [search.get("assistant"), search.get("graph")];
  const named = id ?? graph ?? undefined;
  const found = id
    ? assistants.find(({ assistant_id }) => assistant_id === id)
    : assistants.find((assistant) => isGraph(assistant) && assistant.graph_id === graph);
  const last = assistants.find(({ assistant_id }) => assistant_id === lastRun?.assistantId);
  const first = assistants.filter(isGraph).toSorted((one, other) => one.name.localeCompare(other.name))[0] ?? assistants[0];
  return {
    target: found ?? last ?? first,
    unknown: named !== undefined && !found ? named : undefined,
    choose: (to) => setSearch(isGraph(to) ? { graph: to.graph_id } : { assistant: to.assistant_id }),
  };
}

/** Reads the schemas of an assistant's graph. They change only when a new version of the graph is deployed. */
export const useSchemas = (assistantId: string) =>
  useLive(
    ["schemas", assistantId],
    (signal) => answerOf(api.GET("/assistants/{assistantId}/schemas", { params: { path: { assistantId } }, signal })),
    { every: 600_000 },
  );
