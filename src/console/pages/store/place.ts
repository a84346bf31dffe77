import { useSearchParams } from "wouter";

/** The namespace, the item and the search that are open, as the URL contains them. */
export interface Place {
  namespace: string[];
  /** The key of the open item. Undefined if no item is open. */
  key: string | undefined;
  /** The namespace of the open item. It may be below `namespace`. */
  keyNamespace: string[];
  query: string;
  filter: string;
  offset: number;
  /** True while a person writes a new item. */
  isNew: boolean;
}

const start: Place = { namespace: [], key: undefined, keyNamespace: [], query: "", filter: "", offset: 0, isNew: false };

function parse(params: URLSearchParams): Place {
  const namespace = params.getAll("ns");
  return {
    namespace,
    key: params.get("key") ?? undefined,
    keyNamespace: params.has("in") ? params.getAll("in") : namespace,
    query: params.get("q") ?? "",
    filter: params.get("filter") ?? "",
    offset: Number(params.get("offset")) || 0,
    isNew: params.has("new"),
  };
}

function write({ namespace, key, keyNamespace, query, filter, offset, isNew }: Place): URLSearchParams {
  const params = new URLSearchParams(namespace.map((label) => ["ns", label]));
  if (query) params.set("q", query);
  if (filter) params.set("filter", filter);
  if (offset > 0) params.set("offset", String(offset));
  if (isNew) params.set("new", "");
  if (key === undefined) return params;
  params.set("key", key);
  if (!isSamePath(keyNamespace, namespace)) for (const label of keyNamespace) params.append("in", label);
  return params;
}

export const isSamePath = (one: string[], other: string[]): boolean => JSON.stringify(one) === JSON.stringify(other);

export const isBelow = (path: string[], ancestor: string[]): boolean => isSamePath(path.slice(0, ancestor.length), ancestor);

/** Returns the link to a place. Missing fields get their initial values: no namespace, no open item and no search. */
export const linkTo = (place: Partial<Place>): string => `/store?${write({ ...start, ...place })}`;

export interface Navigation {
  place: Place;
  /** Goes to another place. With `replace`, the new place replaces the current one in the browser's history. */
  go: (changes: Partial<Place>, options?: { replace?: boolean }) => void;
}

export function usePlace(): Navigation {
  const [params, setParams] = useSearchParams();
  const place = parse(params);
  return { place, go: (changes, options) => setParams(write({ ...place, ...changes }), options) };
}
