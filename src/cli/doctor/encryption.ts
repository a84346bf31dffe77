import type { Config } from "../../config.ts";
import { openPool } from "../../db/pool.ts";
import { type Db, sql } from "../../db/sql.ts";
import { checkRoundTrip, checkSample } from "../../encryption/check-key.ts";
import type { Cipher } from "../../encryption/cipher.ts";
import { sealingClient } from "../../encryption/sealing-client.ts";
import type { Project } from "../../registry/project.ts";
import { provideCipher } from "../../startup/provide-cipher.ts";
import { type Finding, messageOf, ok, problem } from "./check.ts";

const about = "Cipher";
const advice = "Check LANGGRAPH_AES_KEY, and encryption.path in langgraph.json.";

/**
 * Checks the encryption of the database at `url`. Loads the handlers, encrypts and decrypts a text, and reads the encrypted sample in the
 * database. If the keys depend on users, encrypts no text, because the check has no user. Reports nothing if neither the project nor the
 * database has encryption. Changes nothing.
 */
export async function checkEncryption(url: string, config: Config, project: Project | undefined): Promise<Finding[]> {
  try {
    const cipher = await provideCipher(config, project ?? { encryption: undefined }, { error: () => {} });
    const pool = openPool({ url, size: 1, extend: cipher && ((Base) => sealingClient(Base, cipher)), onError: () => {} });
    try {
      return await inspect(pool, cipher);
    } finally {
      await pool.end();
    }
  } catch (error) {
    return [problem(about, messageOf(error), advice)];
  }
}

async function inspect(db: Db, cipher: Cipher | undefined): Promise<Finding[]> {
  if (cipher && !cipher.needsUser) await checkRoundTrip(db);
  const { rowCount: hasTable } = await db.query(sql`select 1 where to_regclass('encryption_sample') is not null`);
  const hasSample = Boolean(hasTable) && (await checkSample(db, cipher));
  if (!cipher) return [];
  return [ok(about, `Values are encrypted${hasSample ? ", and the sample in the database can be read" : ""}.`)];
}
