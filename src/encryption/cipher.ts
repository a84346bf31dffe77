import { type Sealable, SealingError, UnsealableValue } from "../db/sealable.ts";
import type { Handlers } from "./handlers.ts";
import { createOpener } from "./open.ts";
import { contextFinder, sealOf } from "./seal.ts";
import type { Known } from "./sealed-text.ts";

/** Encrypts values before they are stored, and decrypts them after they were read. */
export interface Cipher {
  /**
   * Returns the encrypted text that is stored in place of a value. Adds this text and the plain value to `known`, so that they need not be
   * decrypted in the statement's result.
   */
  seal(value: Sealable, known: Known): Promise<string>;
  /**
   * Returns the plain text of a column that contains an encrypted value, or JSON with encrypted values. An encrypted value that is a key of
   * `known` is replaced from there, without a decryption. The same is true of `openBytes` and `openJson`.
   */
  openText(text: string, known: Known): Promise<string>;
  /** Returns the plain bytes of a column whose text is an encrypted value. */
  openBytes(text: string, known: Known): Promise<Buffer>;
  /** Returns a document with all of its encrypted values decrypted. */
  openJson(text: string, known: Known): Promise<unknown>;
  /** True if the encryption of a value depends on its user, so that the user must be known. */
  needsUser: boolean;
}

/** The highest number of different failures that one cipher reports. */
const mostReported = 100;

/**
 * Returns a cipher that encrypts with `own`, and decrypts the values of `own` and of `others`. Reports each different failure only once.
 */
export function createCipher(own: Handlers, others: Handlers[], report: (error: Error) => void): Cipher {
  const findContext = contextFinder(own);
  const opener = createOpener([own, ...others]);
  const reported = new Set<string>();

  function explained(what: string, error: unknown): SealingError {
    const Failure = error instanceof UnsealableValue ? UnsealableValue : SealingError;
    const failure = new Failure(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    if (!reported.has(failure.message) && reported.size < mostReported) {
      reported.add(failure.message);
      report(failure);
    }
    return failure;
  }

  const opening = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw explained("A stored value could not be decrypted", error);
    });

  return {
    needsUser: own.contextOf !== undefined,
    seal: (value, known) =>
      sealOf(own, value, findContext, known).catch((error) => {
        throw explained(`A value of ${value.name} could not be encrypted`, error);
      }),
    openText: (text, known) => opening(opener.text(text, known)),
    openBytes: (text, known) => opening(opener.bytes(text, known)),
    openJson: (text, known) => opening(opener.json(text, known)),
  };
}
