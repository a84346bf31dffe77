import type { Auth, Credentials } from "./auth.ts";
import type { User } from "./user.ts";

const studioUser: User = {
  kind: "StudioUser",
  identity: "langgraph-studio-user",
  display_name: "langgraph-studio-user",
  permissions: [],
  is_authenticated: true,
};

/**
 * Lets Studio in by the header that it sends, as the official dev server does. The header proves nothing: this is for a server that only
 * its own machine reaches. The project's handlers are asked as for anybody.
 */
export function withStudio(auth: Auth): Auth {
  return {
    ...auth,
    authenticate: async (credentials) =>
      credentials.headers["x-auth-scheme"] === "langsmith" && !isForwarded(credentials)
        ? { ...studioUser }
        : auth.authenticate(credentials),
  };
}

/** What came through a proxy came from anywhere. */
const isForwarded = ({ headers }: Credentials) => proxyHeaders.some((name) => headers[name] !== undefined);
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
