import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";

const known = ["alice", "bob", "admin", "guest", "thrifty", "broken", "careless"];

interface Asked {
  event: string;
  user: { identity: string };
  value: object;
}

/** An auth handler. Users see only their own rows, and a few users get other results that handlers can return. */
function own({ event, user, value }: Asked): true | Record<string, string> {
  if (user.identity === "admin") return true;
  if (user.identity === "broken") throw new Error(`a fault in the handler of ${event}`);
  if (user.identity === "careless") return { owner: undefined as unknown as string };
  if ("metadata" in value && /:(create|create_run|update)$/.test(event))
    value.metadata = { ...(value.metadata as object | undefined), owner: user.identity };
  return { owner: user.identity };
}

/** An auth in which the token is the user's name. */
export const auth = new Auth()
  .authenticate((request) => {
    const [, name = ""] = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (!known.includes(name)) throw new HTTPException(401, { message: "Who are you?", headers: { "www-authenticate": "Names" } });
    if (name === "admin") return name;
    return { identity: name, permissions: [`is:${name}`], secret: `canary-${name}` };
  })
  .on("*", own)
  // This handler is more specific than "*", so "*" is not called.
  .on("threads", (asked) => {
    if (asked.user.identity === "guest" && asked.action === "delete")
      throw new HTTPException(418, { message: "threads, not threads:delete" });
    return own(asked);
  })
  .on("threads:delete", (asked) => {
    if (asked.permissions.includes("is:guest")) throw new HTTPException(402, { message: "Guests pay for that." });
    return own(asked);
  })
  .on("threads:update", (asked) => asked.user.identity !== "guest" && own(asked))
  // The user "thrifty" may create only small runs, and gets the cheap model.
  .on("threads:create_run", (asked) => {
    if (asked.user.identity !== "thrifty") return own(asked);
    if (JSON.stringify(asked.value.kwargs.input).includes("everything")) return false;
    asked.value.kwargs.config = { configurable: { model: "cheap" } };
    return own(asked);
  })
  .on("*:delete", (asked) => asked.user.identity !== "guest" && own(asked))
  .on("assistants:search", (asked): boolean | Record<string, string | { $contains: string }> =>
    asked.user.identity === "guest" ? { readers: { $contains: "guests" } } : own(asked),
  );
