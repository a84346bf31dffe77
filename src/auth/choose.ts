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
  /** Where no auth is set, that is on purpose. */
  isOpen: boolean;
}

/** What the project exports as its auth. */
export interface ProjectAuth {
  name: string;
  exported: unknown;
  disableStudio: boolean;
  /** Whether `http.cors` allows pages of this origin. */
  allowsOrigin: (origin: string) => boolean;
}

/** The auth that was asked for; undefined for none, which only this machine's own processes may meet. */
export function chooseAuth(settings: AuthSettings, project: ProjectAuth | undefined): Auth | undefined {
  const { host, apiKeys: keys, isOpen } = settings;
  const tokens = tokenRules(settings.jwt);
  const asked = [project && "auth.path", keys.length > 0 && "ENSEMBLE_API_KEYS", tokens && "ENSEMBLE_JWT_…"].filter(Boolean);
  if (project && asked.length > 1)
    throw new Error(`There is auth twice: ${asked.join(" and ")}. With an auth of your own, let that one know keys and tokens.`);
  if (asked.length === 0) return isOpen || isLoopback(host) ? undefined : refuseOpenDoor(host);
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

const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i.test(host);

function refuseOpenDoor(host: string): never {
  throw new Error(
    `HOST=${host} can be reached by others, and nobody would be asked who they are. Set ENSEMBLE_API_KEYS (\`ensemble key <name>\` makes one), ENSEMBLE_JWT_JWKS_URL, or auth.path in langgraph.json; or ENSEMBLE_AUTH=none, if something in front of the service asks.`,
  );
}
