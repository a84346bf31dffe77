import type { PostBody } from "../../api.ts";
import { type RunStatus, runStatuses } from "../../parts/status.tsx";
import { useUrlFilters } from "../../url-filters.ts";

export type SearchBody = PostBody<"/runs/search">;

/** The filters of the page, as the URL contains them. An empty text means that a filter is not set. */
export interface Filters {
  status: RunStatus[];
  graph: string;
  assistant: string;
  error: string;
  metadata: string;
  /** The maximum age of a run, such as "1h", or "custom" if `from` and `to` apply. */
  since: string;
  /** The earliest time of creation, as the text of a `datetime-local` field. Used only if `since` is "custom". */
  from: string;
  /** The latest time of creation, in the same form. Used only if `since` is "custom". */
  to: string;
}

export const ages: Record<string, { label: string; ms: number }> = {
  "15m": { label: "Last 15 minutes", ms: 15 * 60_000 },
  "1h": { label: "Last hour", ms: 3_600_000 },
  "24h": { label: "Last 24 hours", ms: 86_400_000 },
  "7d": { label: "Last 7 days", ms: 7 * 86_400_000 },
};

const names = ["graph", "assistant", "error", "metadata", "since", "from", "to"] as const;

/** Returns the filters in the URL, and a function that changes some of them in the URL. */
export const useFilters = () => useUrlFilters(parse, write);

function parse(params: URLSearchParams): Filters {
  const wanted = (params.get("status") ?? "").split(",");
  const texts = Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""])) as Omit<Filters, "status">;
  return { ...texts, status: runStatuses.filter((status) => wanted.includes(status)) };
}

function write({ status, ...texts }: Filters): URLSearchParams {
  const params = new URLSearchParams();
  if (status.length > 0) params.set("status", status.join(","));
  for (const name of names) if (texts[name] !== "") params.set(name, texts[name]);
  return params;
}

export const noFilters: Filters = parse(new URLSearchParams());

export const isFiltered = (filters: Filters): boolean => write(filters).size > 0;

/** Returns the search request for these filters. */
export function toSearch({ status, graph, assistant, error, metadata, since, from, to }: Filters): SearchBody {
  const age = ages[since];
  const found = parseMetadata(metadata);
  const isCustom = since === "custom";
  const start = age ? new Date(Date.now() - age.ms).toISOString() : isCustom ? toTime(from) : undefined;
  const end = isCustom ? toTime(to) : undefined;
  return {
    ...(status.length > 0 && { status }),
    ...(graph && { graph_id: graph }),
    ...(assistant && { assistant_id: assistant }),
    ...(error && { error }),
    ...("value" in found && { metadata: found.value }),
    ...(start && { created_since: start }),
    ...(end && { created_until: end }),
  };
}

function toTime(local: string): string | undefined {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

/**
 * Reads metadata from a JSON object, or from pairs `key=value` that are separated by commas. Returns a sentence about the problem if the
 * text is neither.
 */
export function parseMetadata(text: string): { value: Record<string, unknown> } | { problem: string } | Record<string, never> {
  if (text.trim() === "") return {};
  if (text.trim().startsWith("{")) {
    const value = parseJson(text);
    return typeof value === "object" && value !== null
      ? { value: value as Record<string, unknown> }
      : { problem: "This is not a JSON object yet." };
  }
  const pairs = text.split(",").map((pair) => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(pair));
  if (pairs.some((pair) => !pair)) return { problem: "Write key=value, or a JSON object." };
  return { value: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", scalarOf(pair?.[2] ?? "")])) };
}

/** Reads a number, true, false or null from a text. Returns any other text as a string. */
function scalarOf(text: string): unknown {
  const value = parseJson(text);
  return typeof value === "object" && value !== null ? text : (value ?? (text === "null" ? null : text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
