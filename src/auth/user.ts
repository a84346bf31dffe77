/** A user, as auth returns it. Graphs find this user in `configurable`. */
export interface User {
  identity: string;
  permissions: string[];
  display_name: string;
  is_authenticated: boolean;
  [field: string]: unknown;
}

/** Returns the entries of `configurable` that tell a graph who the user is. */
export function authKeys(user: Pick<User, "identity" | "permissions"> | null | undefined): Record<string, unknown> {
  if (!user) return {};
  return { langgraph_auth_user: user, langgraph_auth_user_id: user.identity, langgraph_auth_permissions: user.permissions };
}

/** Tells whether callers may not set this key of `configurable`, because LangGraph or auth sets it. */
export const isReservedKey = (key: string): boolean => key.startsWith("__") || key.startsWith("langgraph_auth");
