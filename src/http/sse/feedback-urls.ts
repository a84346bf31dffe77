import type { FastifyRequest } from "fastify";
import type { RunEvent } from "../../events/log.ts";
import { listFeedback } from "../../feedback/feedback.ts";
import type { ApiDeps } from "../api-deps.ts";
import { originOf } from "../origin.ts";

/**
 * Returns the events with whole feedback URLs. The log holds only their paths, because the worker that writes it does not know under which
 * address a client reaches the API. Events without URLs stay the same list, because clients share the encoded form of a list.
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
 * Returns the output of a run with new feedback URLs in the field `__feedback__`, as JSON text. Only an object can hold them. The text is
 * not parsed, because an output may be large.
 */
export async function withFeedback(deps: UrlDeps, request: FastifyRequest, runId: string, output: string | null): Promise<string | null> {
  if (!output?.startsWith("{")) return output;
  const urls = Object.fromEntries((await feedbackOf(deps, request, runId)).map(({ key, url }) => [key, url]));
  const inner = output.trimEnd().slice(1, -1);
  return `{${inner}${inner.trim() === "" ? "" : ","}"__feedback__":${JSON.stringify(urls)}}`;
}

type UrlDeps = Pick<ApiDeps, "pool" | "feedback" | "settings">;

/** Returns the feedback about a run, with a new URL for each key. */
export async function feedbackOf({ pool, feedback, settings }: UrlDeps, request: FastifyRequest, runId: string) {
  const origin = originOf(request, settings.mountedAt);
  const listed = (await listFeedback(pool, runId)).map(async ({ now, ...row }) => {
    const expires = Math.floor(now + feedback.lifetimeSeconds);
    const path = await feedback.pathFor({ runId, key: row.key, expires });
    return { ...row, url: origin + path, expires_at: new Date(expires * 1_000) };
  });
  return Promise.all(listed);
}
