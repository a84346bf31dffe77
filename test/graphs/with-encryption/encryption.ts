import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

interface Context {
  model: string;
  field: string;
  metadata: Record<string, unknown>;
}

const key = Buffer.alloc(32, "k");

/** The keys that stay readable, so that searches find them. */
const readable = ["owner", "topic_id"];

function seal(bytes: Uint8Array): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

function open(bytes: Uint8Array): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
}

const prefix = "encrypted:";
const sealValue = (value: unknown) => prefix + seal(Buffer.from(JSON.stringify(value))).toString("base64");
const openValue = (text: string): unknown => JSON.parse(open(Buffer.from(text.slice(prefix.length), "base64")).toString());

/** Handlers in the form of the official server's example: each value of a document is encrypted on its own. */
export const encryption = {
  encrypt: {
    blob: async (_: Context, bytes: Uint8Array) => seal(bytes),
    json: async (_: Context, document: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(document).map(([name, value]) => [name, value === null || readable.includes(name) ? value : sealValue(value)]),
      ),
  },
  decrypt: {
    blob: async (_: Context, bytes: Uint8Array) => open(bytes),
    json: async (_: Context, document: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(document).map(([name, value]) => [
          name,
          typeof value === "string" && value.startsWith(prefix) ? openValue(value) : value,
        ]),
      ),
  },
};
