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
 * Returns an auth that also accepts LangSmith Studio by its header, like the official dev server. The header proves nothing, so it counts
 * only under two conditions. The request must have Studio's Origin, which no other web page can send, and no other machine may be able to
 * reach the server. The project's handlers still decide what Studio may do.
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

/** Tells whether a request came through a proxy. Such a request may come from another machine, although the server listens only locally. */
const isForwarded = ({ headers }: Credentials) => proxyHeaders.some((name) => headers[name] !== undefined);
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
