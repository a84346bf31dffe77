import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { SealingError } from "../db/sealable.ts";
import type { EncryptionContext, Handlers } from "./handlers.ts";

export interface AesKeys {
  /** The key that encrypts. */
  key: Buffer;
  /** Further keys that only decrypt. */
  fallbackKeys: Buffer[];
  searchedKeys: string[];
}

const idBytes = 8;
const ivBytes = 12;
const tagBytes = 16;

/** Returns handlers that encrypt with AES-GCM. Each value begins with the id of its key, so that old keys still decrypt old values. */
export function aesHandlers({ key, fallbackKeys, searchedKeys }: AesKeys): Handlers {
  const keys = new Map([key, ...fallbackKeys].map((one) => [idOf(one).toString("hex"), one]));
  const ownId = idOf(key);
  return {
    kind: "a",
    searchedKeys: new Set(searchedKeys),
    encryptBlob(context, bytes) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithmOf(key), key, iv).setAAD(placeOf(context));
      const encrypted = [cipher.update(bytes), cipher.final()];
      return Buffer.concat([ownId, iv, cipher.getAuthTag(), ...encrypted]);
    },
    decryptBlob(context, bytes) {
      const id = bytes.subarray(0, idBytes).toString("hex");
      const keyOfValue = keys.get(id);
      if (!keyOfValue)
        throw new SealingError(
          `A value was encrypted with the key ${id}, which is neither LANGGRAPH_AES_KEY nor one of LANGGRAPH_AES_FALLBACK_KEYS.`,
        );
      const rest = bytes.subarray(idBytes);
      const decipher = createDecipheriv(algorithmOf(keyOfValue), keyOfValue, rest.subarray(0, ivBytes)).setAAD(placeOf(context));
      decipher.setAuthTag(rest.subarray(ivBytes, ivBytes + tagBytes));
      return Buffer.concat([decipher.update(rest.subarray(ivBytes + tagBytes)), decipher.final()]);
    },
  };
}

const algorithmOf = ({ length }: Buffer) => (length === 32 ? "aes-256-gcm" : length === 24 ? "aes-192-gcm" : "aes-128-gcm");

/** Returns the id of a key. It is a hash, which does not reveal the key. */
const idOf = (key: Buffer): Buffer => createHash("sha256").update("ensemble key id\n").update(key).digest().subarray(0, idBytes);

/**
 * Returns the kind of data and the field of a value, which AES-GCM protects against changes. The stored value contains both in readable
 * form. If somebody changes one of them, the value can no longer be decrypted. If somebody moves the unchanged value to another row or
 * column, it can still be decrypted.
 */
const placeOf = ({ model, field }: EncryptionContext): Buffer => Buffer.from(`${model}.${field}`);
