import { SealingError, sealable } from "../db/sealable.ts";
import { type Db, sql } from "../db/sql.ts";
import type { Cipher } from "./cipher.ts";

const sampleText = "If you can read this, the key is right.";
const encryptedSample = () => sealable("encryption_sample.sample", sampleText);

const howToSet =
  "Set LANGGRAPH_AES_KEY to the key with which they were encrypted, or encryption.path in langgraph.json to the handlers that encrypted them.";

/**
 * Checks at the start that this process can read the encrypted values of the database. For this check, the database holds an encrypted
 * sample. Throws if the sample cannot be read. Otherwise, encrypts the sample again with the present key, so that an old key can be removed
 * later.
 */
export async function checkKey(db: Db, cipher: Cipher | undefined): Promise<void> {
  await checkSample(db, cipher);
  if (cipher) await storeSample(db, cipher);
}

/** Throws if the database holds an encrypted sample that this process cannot read. Changes nothing. Returns whether there is a sample. */
export async function checkSample(db: Db, cipher: Cipher | undefined): Promise<boolean> {
  const { rows } = await db.query<{ sample: string }>(sql`select sample || '' as sample from encryption_sample`);
  const stored = rows[0]?.sample;
  if (!cipher) {
    if (stored === undefined) return false;
    throw new Error(`The database holds encrypted values, but this process has no key. ${howToSet}`);
  }
  if (stored !== undefined && stored !== sampleText) throw new Error(`The sample of encrypted values cannot be read. ${howToSet}`);
  return stored !== undefined;
}

/**
 * Checks that a text survives the way to the database and back, on which it is encrypted and decrypted. Throws if the result is another
 * text. Stores nothing.
 *
 * This takes two statements. The first returns the encrypted text, because a connection does not decrypt columns of the type varchar. The
 * second sends this text and gets the decrypted text back, because a statement does not decrypt its own encrypted parameters.
 */
export async function checkRoundTrip(db: Db): Promise<void> {
  const { rows: encrypted } = await db.query<{ text: string }>(sql`select ${encryptedSample()}::varchar as text`);
  const { rows } = await db.query<{ text: string }>(sql`select ${encrypted[0]?.text}::text as text`);
  if (rows[0]?.text !== sampleText) throw new Error("A text that was encrypted and decrypted again is not the same.");
}

/** Tells whether a process with a key has started on this database. */
export async function isEncrypted(db: Db): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from encryption_sample`);
  return rowCount !== 0;
}

/**
 * Stores the sample. If the keys depend on the user, the project may be unable to encrypt the sample. In that case, no sample is stored.
 * Throws if the sample cannot be encrypted for another reason, because the service could then store nothing.
 */
async function storeSample(db: Db, { needsUser }: Cipher): Promise<void> {
  await db
    .query(sql`
      insert into encryption_sample (sample) values (${encryptedSample()})
          on conflict (only_one) do update set sample = excluded.sample`)
    .catch((error) => {
      if (!(error instanceof SealingError)) throw error;
      if (!needsUser) throw new Error(`${error.message} Check LANGGRAPH_AES_KEY, or encryption.path in langgraph.json.`, { cause: error });
    });
}
