import { expect, test } from "vitest";
import { Sealable, sealingUser } from "../../src/db/sealable.ts";
import { loadCipher } from "../../src/encryption/load-cipher.ts";
import { readSealed } from "../../src/encryption/sealed-text.ts";

/** Returns a cipher that calls `context` for each user, and a function that stores a value of a user. */
function cipherWith(context: (user: unknown) => Promise<Record<string, unknown>>) {
  const same = async (_: unknown, value: unknown) => value;
  const exported = { encrypt: { blob: same }, decrypt: { blob: same }, context };
  const cipher = loadCipher({ aes: undefined, project: { name: "test", exported, timeoutSeconds: 1 } }, { error: () => {} });
  return (user: object) => sealingUser.run(user, async () => cipher?.seal(new Sealable("effects.result", "a result"), new Map()));
}

/** Returns the tenant that an encrypted value names. */
const tenantIn = (sealed = "") => readSealed(sealed)?.context.tenant;

test("a failed call of the context handler is repeated for the next value, and a result is kept", async () => {
  let calls = 0;
  const store = cipherWith(async () => {
    calls += 1;
    if (calls === 1) throw new Error("The directory does not answer.");
    return { tenant: "one" };
  });
  const user = {};
  await expect(store(user)).rejects.toThrow("The directory does not answer.");
  const sealed = [await store(user), await store(user)];
  expect(sealed.map((text) => tenantIn(text))).toEqual(["one", "one"]);
  expect(calls).toBe(2);
});

test("two ciphers do not share the contexts of a user", async () => {
  const [one, two] = ["one", "two"].map((tenant) => cipherWith(async () => ({ tenant })));
  const user = {};
  expect([tenantIn(await one?.(user)), tenantIn(await two?.(user))]).toEqual(["one", "two"]);
});
