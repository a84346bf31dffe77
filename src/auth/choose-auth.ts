import type { Auth } from "./auth.ts";
import { builtInAuth } from "./built-in.ts";
import { customAuth } from "./custom.ts";
import type { ApiKey } from "./keys.ts";
import { withStudio } from "./studio.ts";
import type { TokenRules } from "./tokens.ts";

export interface AuthSettings {
  host: string;
  apiKeys: ApiKey[];
  jwt: TokenRules;
  /** True if the operator has turned auth off with ENSEMBLE_AUTH=none. */
  isOpen: boolean;
}

/** The auth object that the project's own code exports. */
export interface ProjectAuth {
  name: string;
  exported: unknown;
  disableStudio: boolean;
  /** Tells whether `http.cors` allows requests from pages of this origin. */
  allowsOrigin: (origin: string) => boolean;
}

/**
 * Returns the configured auth, or undefined if none is configured. Throws if there is no auth and other machines can reach the service. The
 * operator can switch this check off with ENSEMBLE_AUTH=none.
 */
export function chooseAuth(settings: AuthSettings, project: ProjectAuth | undefined): Auth | undefined {
  const { host, apiKeys: keys, isOpen } = settings;
  const tokens = tokenRules(settings.jwt);
  const configured = [project && "auth.path", keys.length > 0 && "ENSEMBLE_API_KEYS", tokens && "ENSEMBLE_JWT_…"].filter(Boolean);
  if (project && configured.length > 1)
    throw new Error(
      `Auth is configured twice: ${configured.join(" and ")}. Keep one; an auth of your own can check keys and tokens itself.`,
    );
  if (configured.length === 0) return isOpen || isLoopback(host) ? undefined : refuseWithoutAuth(host);
  if (!project) return builtInAuth({ keys, tokens });
  const auth = customAuth(project.exported, project.name);
  return project.disableStudio || !isLoopback(host) ? auth : withStudio(auth, project.allowsOrigin);
}

function tokenRules(jwt: TokenRules): TokenRules | undefined {
  const { jwksUrl, secret, issuer, audience } = jwt;
  if (jwksUrl !== undefined && secret !== undefined) throw new Error("Set ENSEMBLE_JWT_JWKS_URL or ENSEMBLE_JWT_SECRET, not both.");
  if (jwksUrl !== undefined || secret !== undefined) return jwt;
  if ((issuer ?? audience) === undefined) return undefined;
  throw new Error("ENSEMBLE_JWT_ISSUER and ENSEMBLE_JWT_AUDIENCE need ENSEMBLE_JWT_JWKS_URL or ENSEMBLE_JWT_SECRET.");
}

/** Tells whether the host is a loopback address, which no other machine can reach. */
export const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i.test(host);

function refuseWithoutAuth(host: string): never {
  throw new Error(
    `HOST=${host} can be reached by others, and no auth is configured. Set ENSEMBLE_API_KEYS (\`ensemble key <name>\` makes one), ENSEMBLE_JWT_JWKS_URL, or auth.path in langgraph.json. Set ENSEMBLE_AUTH=none if a proxy in front of the service authenticates users.`,
  );
}
