import type { Auth, Credentials } from "./auth.ts";
import type { User } from "./user.ts";

const studioUser: User = {
  kind: "StudioUser",
  identity: "langgraph-studio-user",
  display_name: "langgraph-studio-user",
  permissions: [],
  is_authenticated: true,
};

/** The origins of LangSmith Studio in its four regions. */
export const studioOrigins = [
  "https://smith.langchain.com",
  "https://eu.smith.langchain.com",
  "https://apac.smith.langchain.com",
  "https://aws.smith.langchain.com",
];

/**
 * Returns an auth that also accepts LangSmith Studio by its header, as the official dev server does. The header proves nothing. It counts
 * only on a server that no other machine can reach, and together with Studio's Origin, which no other page can send. The project's auth
 * handlers decide about Studio as about any user.
 */
export function withStudio(auth: Auth, isAllowed: (origin: string) => boolean): Auth {
  const isStudio = ({ headers }: Credentials) =>
    headers["x-auth-scheme"] === "langsmith" &&
    headers.origin !== undefined &&
    studioOrigins.includes(headers.origin) &&
    isAllowed(headers.origin);
  return {
    ...auth,
    authenticate: async (credentials) =>
      isStudio(credentials) && !isForwarded(credentials) ? { ...studioUser } : auth.authenticate(credentials),
  };
}

/** Returns whether a request came through a proxy. It may then come from another machine. */
const isForwarded = ({ headers }: Credentials) => proxyHeaders.some((name) => headers[name] !== undefined);
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
