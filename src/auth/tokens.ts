import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import { ServiceError } from "../errors.ts";
import { notSignedIn } from "./auth.ts";

export interface TokenRules {
  /** Where the issuer publishes its keys; or the secret that it shares with us. */
  jwksUrl: string | undefined;
  secret: string | undefined;
  issuer: string | undefined;
  audience: string | undefined;
}

/** Named, so that a token does not say how it is to be believed: a public key is no shared secret, and "none" is no signature. */
const signedWithKeys = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
const signedWithSecret = ["HS256", "HS384", "HS512"];
const clockToleranceSeconds = 5;

export type VerifyToken = (token: string) => Promise<JWTPayload & { sub: string }>;

/** Verifies JSON Web Tokens: signature, time, and issuer and audience where they are set. */
export function tokenVerifier({ jwksUrl, secret, issuer, audience }: TokenRules): VerifyToken {
  const key = jwksUrl === undefined ? new TextEncoder().encode(secret) : createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
  const options = {
    algorithms: jwksUrl === undefined ? signedWithSecret : signedWithKeys,
    requiredClaims: ["sub", "exp"],
    clockTolerance: clockToleranceSeconds,
    ...(issuer && { issuer }),
    ...(audience && { audience }),
  };
  return async (token) => {
    const verified = typeof key === "function" ? jwtVerify(token, key, options) : jwtVerify(token, key, options);
    const { payload } = await verified.catch(refuse);
    if (typeof payload.sub !== "string" || payload.sub === "") throw notSignedIn("The token says of nobody whose it is (sub).");
    if (payload.sub.includes("\0") || !payload.sub.isWellFormed()) throw notSignedIn("The token says a name that cannot be stored (sub).");
    return { ...payload, sub: payload.sub };
  };
}

/** What is wrong with the token is said as far as it helps its owner. When the keys cannot be had, it is not the token's fault. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw notSignedIn("The token has expired.");
  if (error instanceof errors.JWTClaimValidationFailed) throw notSignedIn(`The token is not for this service: ${error.claim}.`);
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) || error.code === errors.JOSEError.code)
    throw new ServiceError("unavailable", "The keys by which tokens are verified cannot be had at the moment.");
  throw notSignedIn("The token is not valid.");
}
