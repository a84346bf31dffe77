/** Who somebody is, as auth describes them: graphs find this in their configurable. */
export interface User {
  identity: string;
  permissions: string[];
  display_name: string;
  is_authenticated: boolean;
  [field: string]: unknown;
}

/** Under which names graphs find who is asking. */
export function authKeys(user: Pick<User, "identity" | "permissions"> | null | undefined): Record<string, unknown> {
  if (!user) return {};
  return { langgraph_auth_user: user, langgraph_auth_user_id: user.identity, langgraph_auth_permissions: user.permissions };
}

/** By these keys of a configurable LangGraph speaks to itself, and auth to the graph: no caller does. */
export const isReservedKey = (key: string): boolean => key.startsWith("__") || key.startsWith("langgraph_auth");
