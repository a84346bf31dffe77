import { everything, type Scope } from "../db/scope.ts";
import { type Auth, type AuthEvent, type Credentials, forbidden, notSignedIn } from "./auth.ts";
import { anyOf, scopeOf } from "./filter.ts";
import { type ApiKey, nameOfKey } from "./keys.ts";
import { type TokenRules, tokenVerifier, type VerifyToken } from "./tokens.ts";
import type { User } from "./user.ts";

/** How a bearer of a key is told from a bearer of a token, who sees no more than is their own. */
const keyKind = "ApiKey";

export interface BuiltInAuth {
  keys: ApiKey[];
  tokens: TokenRules | undefined;
}

/** Auth for those who write none: API keys, which may everything, and tokens, whose users see what they made themselves. */
export function builtInAuth({ keys, tokens }: BuiltInAuth): Auth {
  const verify = tokens && tokenVerifier(tokens);
  return {
    proof: "headers",
    async authenticate(credentials) {
      const given = credentialIn(credentials);
      if (given === undefined) throw notSignedIn(`Send ${wayIn(keys, verify)}.`);
      const name = nameOfKey(keys, given);
      if (name !== undefined) return userOf(name, { kind: keyKind });
      if (!verify || !looksLikeToken(given)) throw notSignedIn("This key is not known here.");
      const { sub, scope, permissions } = await verify(given);
      return userOf(sub, { permissions: permissionsIn(permissions ?? scope) });
    },
    authorize: async (user, event, value) => (user.kind === keyKind ? everything : whatIsOwn(user.identity, event, value)),
  };
}

const looksLikeToken = (text: string) => text.split(".").length === 3;

function credentialIn({ headers }: Credentials): string | undefined {
  const [, bearer] = /^bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  return bearer ?? [headers["x-api-key"]].flat()[0];
}

function wayIn(keys: ApiKey[], verify: VerifyToken | undefined): string {
  const ways = [...(keys.length > 0 ? ["an API key in the header x-api-key"] : []), ...(verify ? ["a token as Bearer"] : [])];
  return ways.join(", or ");
}

function userOf(identity: string, more: { kind?: string; permissions?: string[] }): User {
  return { display_name: identity, is_authenticated: true, permissions: [], ...more, identity };
}

/** As an array, or as one string with spaces, which is what OAuth makes of it. */
function permissionsIn(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.map(String);
  return typeof claim === "string" ? claim.split(" ").filter(Boolean) : [];
}

/** Marks what is made as its maker's, and shows nobody anything else, but for the assistants that the graphs bring with them. */
function whatIsOwn(identity: string, event: AuthEvent, value: { metadata?: unknown; namespace?: unknown }): Scope {
  if (event.startsWith("store:")) return ownShelf(identity, value.namespace);
  const own = scopeOf({ owner: identity });
  if (event === "assistants:read" || event === "assistants:search") return anyOf(own, scopeOf({ created_by: "system" }));
  if (/:(create|create_run|update)$/.test(event)) {
    const { created_by, ...metadata } = (value.metadata ?? {}) as Record<string, unknown>;
    const kept = event.startsWith("assistants:") ? metadata : value.metadata; // nobody passes theirs off as the service's
    value.metadata = { ...(kept as object | undefined), owner: identity };
  }
  return own;
}

/** A user's items stand under their name, in which a dot is %2E, because labels have none, and * is %2A, because it stands for any label. */
function ownShelf(identity: string, namespace: unknown): Scope {
  const label = identity.replaceAll("%", "%25").replaceAll(".", "%2E").replaceAll("*", "%2A");
  if (!Array.isArray(namespace) || namespace[0] !== label) throw forbidden();
  return everything;
}
