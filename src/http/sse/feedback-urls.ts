import type { FastifyRequest } from "fastify";
import type { RunEvent } from "../../events/log.ts";
import { listFeedback, listFeedbackKeys } from "../../feedback/feedback.ts";
import type { ApiDeps } from "../api-deps.ts";
import { originOf } from "../origin.ts";

/**
 * Returns the events with complete feedback URLs. The worker does not know the address of the API, so the events in the log contain only
 * the paths. If no event has a URL, returns the same list object. All clients that get the same object share one encoded form of it.
 */
export function withFeedbackUrls(events: RunEvent[], request: FastifyRequest, { settings }: Pick<ApiDeps, "settings">): RunEvent[] {
  if (!events.some(isFeedback)) return events;
  const origin = originOf(request, settings.mountedAt);
  return events.map((event) => (isFeedback(event) ? { ...event, data: withOrigin(event.data, origin) } : event));
}

const isFeedback = ({ event }: RunEvent) => event === "feedback";

function withOrigin(data: string, origin: string): string {
  const paths = Object.entries(JSON.parse(data) as Record<string, string>);
  return JSON.stringify(Object.fromEntries(paths.map(([key, path]) => [key, origin + path])));
}

/**
 * Adds new feedback URLs to a run's output, in the field `__feedback__`. Changes only an output that is a JSON object. Does not parse the
 * output, because it may be large.
 */
export async function withFeedback(deps: UrlDeps, request: FastifyRequest, runId: string, output: string | null): Promise<string | null> {
  if (!output?.startsWith("{")) return output;
  const offered = await withUrls(deps, request, runId, await listFeedbackKeys(deps.pool, runId));
  const urls = Object.fromEntries(offered.map(({ key, url }) => [key, url]));
  const inner = output.trimEnd().slice(1, -1);
  return `{${inner}${inner.trim() === "" ? "" : ","}"__feedback__":${JSON.stringify(urls)}}`;
}

type UrlDeps = Pick<ApiDeps, "pool" | "feedback" | "settings">;

/** Returns the feedback about a run, with a new URL for each feedback key. */
export const feedbackOf = async (deps: UrlDeps, request: FastifyRequest, runId: string) =>
  withUrls(deps, request, runId, await listFeedback(deps.pool, runId));

async function withUrls<Row extends { key: string; now: number }>(
  { feedback, settings }: UrlDeps,
  request: FastifyRequest,
  runId: string,
  rows: Row[],
) {
  const origin = originOf(request, settings.mountedAt);
  const withUrl = rows.map(async ({ now, ...row }) => {
    const expires = Math.floor(now + feedback.lifetimeSeconds);
    const path = await feedback.pathFor({ runId, key: row.key, expires });
    return { ...row, url: origin + path, expires_at: new Date(expires * 1_000) };
  });
  return Promise.all(withUrl);
}
