import type { SealingContext } from "../db/sealable.ts";

/**
 * The data that a handler gets about the value that it encrypts or decrypts. The field names are those of the official LangGraph server.
 */
export interface EncryptionContext {
  /** The kind of data, such as "thread" or "run". */
  model: string;
  /** The field, such as "values" or "kwargs". */
  field: string;
  /** The result of the handler `context` when the value was encrypted. Stored unencrypted with each value. */
  metadata: SealingContext;
}

export type Json = Record<string, unknown>;
type Promised<T> = T | Promise<T>;

/** The functions that encrypt and decrypt values: a pair for bytes, and an optional pair for JSON documents. */
export interface Handlers {
  /**
   * Names the origin of the handlers: "a" for the built-in AES, and "h" for the handlers of the project. Each encrypted value contains this
   * letter, so that the service finds the handlers that can decrypt the value.
   */
  kind: "a" | "h";
  encryptBlob(context: EncryptionContext, bytes: Buffer): Promised<Uint8Array>;
  decryptBlob(context: EncryptionContext, bytes: Buffer): Promised<Uint8Array>;
  /**
   * Encrypts some or all values of a document, and leaves the keys unchanged. Without this function, `encryptBlob` encrypts each value
   * separately.
   */
  encryptJson?: ((context: EncryptionContext, document: Json) => Promised<Json>) | undefined;
  decryptJson?: ((context: EncryptionContext, document: Json) => Promised<Json>) | undefined;
  /** The keys that are encrypted even in documents that clients search. */
  searchedKeys: ReadonlySet<string>;
  /**
   * Returns the context with which the values of a user are encrypted, such as the user's tenant. If the function is missing, all values
   * are encrypted with the same empty context.
   */
  contextOf?: ((user: unknown) => Promised<SealingContext>) | undefined;
}
