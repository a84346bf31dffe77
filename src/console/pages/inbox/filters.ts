import type { QuestionSearch } from "../../parts/questions/open-questions.ts";
import { useUrlFilters } from "../../url-filters.ts";

/** The filters of the inbox and the chosen question, as the URL contains them. An empty text means that a filter is not set. */
export interface Filters {
  graph: string;
  thread: string;
  age: string;
  deadline: string;
  sort: string;
  /** The key of the chosen question. */
  q: string;
}

const names = ["graph", "thread", "age", "deadline", "sort", "q"] as const;

const minutes = (amount: number) => amount * 60_000;
const hour = minutes(60);

export const ages: Record<string, { label: string; search: (now: number) => QuestionSearch }> = {
  new: { label: "Asked in the last hour", search: (now) => ({ created_since: at(now - hour) }) },
  "1h": { label: "Older than 1 hour", search: (now) => ({ created_until: at(now - hour) }) },
  "1d": { label: "Older than 1 day", search: (now) => ({ created_until: at(now - 24 * hour) }) },
  "7d": { label: "Older than 7 days", search: (now) => ({ created_until: at(now - 7 * 24 * hour) }) },
};

const beginning = at(0);

export const deadlines: Record<string, { label: string; search: (now: number) => QuestionSearch }> = {
  any: { label: "With a deadline", search: () => ({ deadline_since: beginning }) },
  "15m": { label: "Due within 15 minutes", search: (now) => ({ deadline_until: at(now + minutes(15)) }) },
  "1h": { label: "Due within 1 hour", search: (now) => ({ deadline_until: at(now + hour) }) },
  "1d": { label: "Due within 1 day", search: (now) => ({ deadline_until: at(now + 24 * hour) }) },
};

export const sorts: Record<string, { label: string; search: QuestionSearch }> = {
  "": { label: "Oldest first", search: { sort_by: "created_at", sort_order: "asc" } },
  new: { label: "Newest first", search: { sort_by: "created_at", sort_order: "desc" } },
  deadline: { label: "Nearest deadline first", search: { sort_by: "deadline", sort_order: "asc" } },
};

function at(time: number): string {
  return new Date(time).toISOString();
}

/** Returns the filters in the URL, and a function that changes some of them in the URL. */
export const useFilters = () => useUrlFilters(parse, write);

const parse = (params: URLSearchParams) => Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""])) as unknown as Filters;

const write = (filters: Filters) => new URLSearchParams(names.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])));

export const noFilters = { graph: "", thread: "", age: "", deadline: "" };

export const isFiltered = ({ graph, thread, age, deadline, sort }: Filters): boolean =>
  [graph, thread, age, deadline].some(Boolean) || sort === "deadline";

const threadId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns a message if the text is not the whole id of a thread. A search for an incomplete id finds nothing. */
export const problemOfThread = (thread: string) => (thread === "" || threadId.test(thread) ? undefined : "Enter the whole id of a thread.");

/** Returns the search request for these filters. Ages and deadlines become absolute times, counted from the present moment. */
export function toSearch({ graph, thread, age, deadline, sort }: Filters): QuestionSearch {
  const now = Date.now();
  return {
    ...(graph && { graph_id: graph }),
    ...(thread && problemOfThread(thread) === undefined && { thread_id: thread }),
    ...ages[age]?.search(now),
    ...deadlines[deadline]?.search(now),
    ...(sorts[sort] ?? sorts[""])?.search,
  };
}
