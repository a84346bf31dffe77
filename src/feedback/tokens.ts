import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type Db, sql } from "../db/sql.ts";

/** The right to write the feedback of one run under one key, until a point in time. */
export interface FeedbackRight {
  runId: string;
  key: string;
  /** The end of the right, in seconds since 1970 by the database's clock. */
  expires: number;
}

/** Signs and reads the tokens of feedback URLs. */
export interface FeedbackTokens {
  /** The number of seconds for which a URL is valid. */
  lifetimeSeconds: number;
  /** Returns the path of the URL that carries this right. */
  pathFor(right: FeedbackRight): Promise<string>;
  /** Returns the right that a token carries, or undefined if this service has not signed the token. Does not check the time. */
  read(token: string): Promise<FeedbackRight | undefined>;
}

interface TokenOptions {
  /**
   * The operator's secrets. The first secret signs new URLs, and URLs that any of the secrets has signed are valid. If there is no secret,
   * the database's own secret is used.
   */
  feedbackSecrets: Buffer[];
  feedbackUrlHours: number;
}

/** The form of a token: the signed text, a dot, and the signature. */
const tokenForm = /^([\w-]{1,1500})\.([\w-]{43})$/;
const pathForm = /^\/feedback\/tokens\/([^/]+)\/?$/;

/** Tells whether a path is that of a feedback URL. Such a URL needs no credentials, because its token grants the access. */
export const isFeedbackPath = (path: string): boolean => tokenForm.test(pathForm.exec(path)?.[1] ?? "");

export function feedbackTokens(db: Db, { feedbackSecrets, feedbackUrlHours }: TokenOptions): FeedbackTokens {
  let stored: Promise<Buffer> | undefined;
  const secrets = async () => {
    if (feedbackSecrets.length > 0) return feedbackSecrets;
    stored ??= storedSecret(db).catch((error) => {
      stored = undefined; // the next call tries again
      throw error;
    });
    return [await stored];
  };
  return {
    lifetimeSeconds: feedbackUrlHours * 3_600,
    async pathFor({ runId, key, expires }) {
      const signed = Buffer.from(JSON.stringify([runId, Math.floor(expires), key])).toString("base64url");
      const [secret] = (await secrets()) as [Buffer];
      return `/feedback/tokens/${signed}.${signatureOf(signed, secret).toString("base64url")}`;
    },
    async read(token) {
      const [, signed = "", signature = ""] = tokenForm.exec(token) ?? [];
      const given = Buffer.from(signature, "base64url");
      const isSigned = (await secrets()).some((secret) => isSame(given, signatureOf(signed, secret)));
      return isSigned ? rightIn(signed) : undefined;
    },
  };
}

/** Returns the signature of a text. Because of the fixed prefix, the signature is valid only for feedback URLs. */
const signatureOf = (signed: string, secret: Buffer): Buffer => createHmac("sha256", secret).update(`ensemble feedback ${signed}`).digest();

const isSame = (given: Buffer, right: Buffer): boolean => given.length === right.length && timingSafeEqual(given, right);

function rightIn(signed: string): FeedbackRight {
  const [runId, expires, key] = JSON.parse(Buffer.from(signed, "base64url").toString()) as [string, number, string];
  return { runId, expires, key };
}

/** Returns the secret in the database. Creates it if there is none. All processes thus sign with the same secret, also after a restart. */
async function storedSecret(db: Db): Promise<Buffer> {
  const read = () => db.query<{ secret: Buffer }>(sql`select secret from feedback_secret`);
  const { rows } = await read();
  if (rows[0]) return rows[0].secret;
  await db.query(sql`insert into feedback_secret (secret) values (${randomBytes(32)}) on conflict do nothing`);
  const [row] = (await read()).rows; // another process may have been the first, so the row is read again
  if (!row) throw new Error("The table feedback_secret has lost its row.");
  return row.secret;
}
