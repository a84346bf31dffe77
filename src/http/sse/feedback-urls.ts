import type { FastifyRequest } from "fastify";
import type { RunEvent } from "../../events/log.ts";
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
