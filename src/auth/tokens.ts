import type { errors as JoseErrors, JWTPayload } from "jose";
import { ServiceError } from "../errors.ts";
import { notSignedIn } from "./auth.ts";

export interface TokenRules {
  /** The URL of the issuer's public keys (JWKS). */
  jwksUrl: string | undefined;
  /** The secret that the issuer shares with the service. Tokens are verified with this secret instead of public keys. */
  secret: string | undefined;
  issuer: string | undefined;
  audience: string | undefined;
}

/**
 * The accepted algorithms. The list is fixed, so that a token cannot choose the algorithm that verifies it. Otherwise a token could name
 * "none", which means no signature, or use a public key as a shared secret.
 */
const signedWithKeys = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
const signedWithSecret = ["HS256", "HS384", "HS512"];
const clockToleranceSeconds = 5;

export type VerifyToken = (token: string) => Promise<JWTPayload & { sub: string }>;

/**
 * Returns a function that verifies JSON Web Tokens. The function checks the signature and the times, and the issuer and audience if these
 * are configured.
 */
export function tokenVerifier({ jwksUrl, secret, issuer, audience }: TokenRules): VerifyToken {
  const loading = import("jose"); // loaded only here, because most services accept no tokens
  const keyed = loading.then(({ createRemoteJWKSet }) =>
    jwksUrl === undefined ? new TextEncoder().encode(secret) : createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 }),
  );
  keyed.catch(() => {}); // prevents an unhandled rejection. Each verification awaits the promise and handles the error.
  const options = {
    algorithms: jwksUrl === undefined ? signedWithSecret : signedWithKeys,
    requiredClaims: ["sub", "exp"],
    clockTolerance: clockToleranceSeconds,
    ...(issuer && { issuer }),
    ...(audience && { audience }),
  };
  return async (token) => {
    const [{ jwtVerify, errors }, key] = [await loading, await keyed];
    const verified = typeof key === "function" ? jwtVerify(token, key, options) : jwtVerify(token, key, options);
    const { payload } = await verified.catch((error) => refuse(error, errors));
    if (typeof payload.sub !== "string" || payload.sub === "") throw notSignedIn("The token names no user (sub).");
    if (payload.sub.includes("\0") || !payload.sub.isWellFormed()) throw notSignedIn("The token names a user that cannot be stored (sub).");
    return { ...payload, sub: payload.sub };
  };
}

/**
 * Throws an error that tells the token's owner why the token was refused. If the issuer's keys cannot be fetched, the error says so and
 * does not blame the token.
 */
function refuse(error: unknown, errors: typeof JoseErrors): never {
  if (error instanceof errors.JWTExpired) throw notSignedIn("The token has expired.");
  if (error instanceof errors.JWTClaimValidationFailed) throw notSignedIn(`The token is not for this service: ${error.claim}.`);
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.code === errors.JOSEError.code)
    throw new ServiceError("unavailable", "The keys that verify tokens cannot be fetched at the moment.");
  throw notSignedIn("The token is not valid.");
}
