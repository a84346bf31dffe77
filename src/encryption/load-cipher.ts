import type { Logger } from "pino";
import { aesHandlers } from "./aes.ts";
import { type Cipher, createCipher } from "./cipher.ts";
import type { Handlers } from "./handlers.ts";
import { type ProjectEncryption, projectHandlers } from "./project-handlers.ts";

export interface EncryptionSources {
  /** The options of the built-in AES (`LANGGRAPH_AES_KEY`). Undefined if no key is set. */
  aes: { key: Buffer; fallbackKeys: Buffer[]; searchedKeys: string[] } | undefined;
  /** The export that `encryption.path` in langgraph.json names. Undefined if langgraph.json has no `encryption.path`. */
  project: ProjectEncryption | undefined;
}

/**
 * Returns the cipher for the values of the database. If the project has its own handlers, they encrypt all new values. The built-in AES
 * then only decrypts older values. Returns undefined if neither is configured.
 */
export function loadCipher({ aes, project }: EncryptionSources, log: Pick<Logger, "error">): Cipher | undefined {
  const [own, ...others] = [project && projectHandlers(project), aes && aesHandlers(aes)].filter(
    (handlers): handlers is Handlers => handlers !== undefined,
  );
  return own && createCipher(own, others, (err) => log.error({ err }, "encryption failed"));
}
