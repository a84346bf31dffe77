import type { IncomingHttpHeaders } from "node:http";

/**
 * The value of `http.configurable_headers` or `http.logging_headers`: patterns of header names, in which `*` stands for any characters.
 * Each field has two spellings, because LangGraph's documentation uses both.
 */
export interface HeaderPatterns {
  include?: string[] | null | undefined;
  includes?: string[] | null | undefined;
  exclude?: string[] | null | undefined;
  excludes?: string[] | null | undefined;
}

export type PickHeaders = (headers: IncomingHttpHeaders) => Record<string, string>;

/** The names of headers with credentials. A run never gets these headers, because its configuration is stored and can be read. */
export const neverPicked = ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-tenant-id", "x-service-key"];
/** Matches the names of headers that may contain credentials. Such a header is selected only if a pattern is its full name. */
const authLike = /auth|cookie|token|secret|passw|credential|signature|jwt|bearer|session-?key|(api|access|private|service)-?key/;
/** Matches keys that the server itself sets in a run's configuration, so that no header overwrites them. */
const reserved = /^(__.*|(run|thread|graph|assistant|user)_id|checkpoint_.*|langgraph_.*|constructor|prototype)$/;

const usual = ["x-*", "user-agent"];

/**
 * Returns a function that selects the headers of a request that the request's runs can read. Without patterns, these are `user-agent` and
 * all headers that begin with `x-`.
 */
export function headerPicker(patterns: HeaderPatterns | null | undefined, fallback: string[] = usual): PickHeaders {
  const included = (patterns?.includes ?? patterns?.include ?? fallback).map(toMatcher);
  const excluded = (patterns?.excludes ?? patterns?.exclude ?? []).map(toMatcher);
  const isPicked = (name: string) => {
    if (neverPicked.includes(name) || reserved.test(name) || excluded.some((pattern) => pattern.matches(name))) return false;
    return included.some((pattern) => pattern.matches(name) && (pattern.isExact || !authLike.test(name)));
  };
  return (headers) =>
    Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (value !== undefined && isPicked(name) ? [[name, String(value)]] : [])),
    );
}

function toMatcher(pattern: string) {
  const parts = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[^\w-]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  return { isExact: parts.length === 1, matches: (name: string) => whole.test(name) };
}
