import { everything, type Scope } from "../db/scope.ts";
import { type Auth, type AuthEvent, type Credentials, forbidden, notSignedIn } from "./auth.ts";
import { anyOf, scopeOf } from "./filter.ts";
import { type ApiKey, nameOfKey } from "./keys.ts";
import { type TokenRules, tokenVerifier, type VerifyToken } from "./tokens.ts";
import type { User } from "./user.ts";

/** The `kind` of a user with an API key. Such a user may see all rows, while a user with a token sees only the rows that the user owns. */
const keyKind = "ApiKey";

export interface BuiltInAuth {
  keys: ApiKey[];
  tokens: TokenRules | undefined;
}

/** Returns the built-in auth. Each API key grants full access. A token grants access only to the rows that its user has created. */
export function builtInAuth({ keys, tokens }: BuiltInAuth): Auth {
  const verify = tokens && tokenVerifier(tokens);
  return {
    proof: "headers",
    accepts: [...(keys.length > 0 ? (["api-key"] as const) : []), ...(tokens ? (["token"] as const) : [])],
    async authenticate(credentials) {
      const given = credentialIn(credentials);
      if (given === undefined) throw notSignedIn(`Send ${acceptedCredentials(keys, verify)}.`);
      const name = nameOfKey(keys, given);
      if (name !== undefined) return userOf(name, { kind: keyKind });
      if (!verify || !looksLikeToken(given)) throw notSignedIn("This key is not known here.");
      const { sub, scope, permissions } = await verify(given);
      return userOf(sub, { permissions: permissionsIn(permissions ?? scope) });
    },
    authorize: async (user, event, value) => (user.kind === keyKind ? everything : ownScope(user.identity, event, value)),
  };
}

const looksLikeToken = (text: string) => text.split(".").length === 3;

function credentialIn({ headers }: Credentials): string | undefined {
  const [, bearer] = /^bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  return bearer ?? [headers["x-api-key"]].flat()[0];
}

function acceptedCredentials(keys: ApiKey[], verify: VerifyToken | undefined): string {
  const ways = [...(keys.length > 0 ? ["an API key in the header x-api-key"] : []), ...(verify ? ["a token as Bearer"] : [])];
  return ways.join(", or ");
}

function userOf(identity: string, more: { kind?: string; permissions?: string[] }): User {
  return { display_name: identity, is_authenticated: true, permissions: [], ...more, identity };
}

/** Returns the permissions in a token's claim. The claim is an array or, as in OAuth, a string with spaces between the permissions. */
function permissionsIn(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.map(String);
  return typeof claim === "string" ? claim.split(" ").filter(Boolean) : [];
}

/**
 * Returns the scope of the rows that the user owns. If the action creates or changes a row, sets the owner in the row's metadata first.
 * Default assistants of graphs have no owner and are visible to every user.
 */
function ownScope(identity: string, event: AuthEvent, value: { metadata?: unknown; namespace?: unknown }): Scope {
  if (event.startsWith("store:")) return ownNamespace(identity, value.namespace);
  const own = scopeOf({ owner: identity });
  if (event === "assistants:read" || event === "assistants:search") return anyOf(own, scopeOf({ created_by: "system" }));
  if (/:(create|create_run|update)$/.test(event)) {
    const { created_by, ...metadata } = (value.metadata ?? {}) as Record<string, unknown>;
    const kept = event.startsWith("assistants:") ? metadata : value.metadata; // only the service may set an assistant's `created_by`
    value.metadata = { ...(kept as object | undefined), owner: identity };
  }
  return own;
}

/**
 * Throws unless the first label of the namespace is the user's name. A dot in the name is written as %2E, because labels cannot contain
 * dots. An asterisk is written as %2A, because `*` in a pattern matches any label.
 */
function ownNamespace(identity: string, namespace: unknown): Scope {
  const label = identity.replaceAll("%", "%25").replaceAll(".", "%2E").replaceAll("*", "%2A");
  if (!Array.isArray(namespace) || namespace[0] !== label) throw forbidden();
  return everything;
}
