import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Cipher } from "../encryption/cipher.ts";
import { loadCipher } from "../encryption/load-cipher.ts";
import { importUserModule } from "../registry/modules.ts";
import type { Project } from "../registry/project.ts";

/** Returns the cipher for the values of the database. Returns undefined if values are not encrypted. */
export async function provideCipher(
  { aes, encryptionTimeoutSeconds }: Pick<Config, "aes" | "encryptionTimeoutSeconds">,
  { encryption }: Pick<Project, "encryption">,
  log: Pick<Logger, "error">,
): Promise<Cipher | undefined> {
  const project = encryption && {
    name: `${encryption.file}:${encryption.exportName}`,
    exported: (await importUserModule(encryption.file))[encryption.exportName],
    timeoutSeconds: encryptionTimeoutSeconds,
  };
  return loadCipher({ aes, project }, log);
}
