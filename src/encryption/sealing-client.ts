import pg from "pg";
import { Sealable, SealingError } from "../db/sealable.ts";
import type { Sql } from "../db/sql.ts";
import type { Cipher } from "./cipher.ts";
import { type Known, mark } from "./sealed-text.ts";

/** A value of a row that contains encrypted values. It is decrypted when the whole result has arrived. */
class Unopened {
  readonly open: (known: Known) => Promise<unknown>;

  constructor(open: (known: Known) => Promise<unknown>) {
    this.open = open;
  }
}

const oids = { bytea: 17, text: 25, json: 114, textArray: 1009, jsonb: 3802 };

type Types = Pick<typeof pg.types, "getTypeParser">;

const standard = (oid: number, text: string): unknown => pg.types.getTypeParser(oid as never, "text")(text as never);

/**
 * Returns the parsers for the column values that a connection receives. A value without the prefix of encrypted values is parsed as usual.
 */
function typesOf(cipher: Cipher): Types {
  const json = (text: string) => (text.includes(mark) ? new Unopened((known) => cipher.openJson(text, known)) : JSON.parse(text));
  const parsers = new Map<number, (text: string) => unknown>([
    [oids.json, json],
    [oids.jsonb, json],
    [oids.text, (text) => (text.includes(mark) ? new Unopened((known) => cipher.openText(text, known)) : text)],
    [oids.textArray, (text) => parseTexts(cipher, text)],
    [oids.bytea, (hex) => parseBytes(cipher, hex)],
  ]);
  const getTypeParser = (oid: number, format?: string) =>
    (format !== "binary" && parsers.get(oid)) || pg.types.getTypeParser(oid as never, format as never);
  return { getTypeParser: getTypeParser as Types["getTypeParser"] };
}

function parseTexts(cipher: Cipher, text: string): unknown {
  const parts = standard(oids.textArray, text) as (string | null)[];
  if (!text.includes(mark)) return parts;
  return new Unopened((known) => Promise.all(parts.map((part) => (part?.includes(mark) ? cipher.openText(part, known) : part))));
}

function parseBytes(cipher: Cipher, hex: string): unknown {
  const bytes = standard(oids.bytea, hex) as Buffer;
  const isSealed = bytes.subarray(0, mark.length).toString("latin1") === mark;
  return isSealed ? new Unopened((known) => cipher.openBytes(bytes.toString("latin1"), known)) : bytes;
}

type Statement = Partial<Sql> & Pick<Sql, "text">;
type Row = Record<string, unknown>;
type Result = { rows: Row[] };
type Callback = (error: Error | null | undefined, result?: Result) => void;

/**
 * Returns a class of connections that encrypt the `Sealable` parameters of statements, and decrypt the values of the rows that statements
 * return. Thus, no other code needs to know whether values are encrypted.
 *
 * If a statement returns a value that is also one of its parameters, the value is not decrypted again. The decryption could fail after the
 * statement has already been committed, and the caller would then believe that the change had failed.
 */
export function sealingClient(Base: typeof pg.Client, cipher: Cipher): typeof pg.Client {
  const types = typesOf(cipher);
  return class extends Base {
    constructor(config?: string | pg.ClientConfig) {
      super({ ...(typeof config === "string" ? { connectionString: config } : config), types } as pg.ClientConfig);
    }

    override query(...args: unknown[]): never {
      const [statement, ...others] = args;
      if (typeof statement !== "object" || statement === null || "submit" in statement) return super.query(...(args as [never])) as never;
      const callback = others.find((other): other is Callback => typeof other === "function");
      const values = Array.isArray(others[0]) ? others[0] : ((statement as Statement).values ?? []);
      const { text, name, skipsUnreadable = false } = statement as Statement;
      const run = async () => {
        const known: Known = new Map();
        const sealed = await sealAll(values, cipher, known);
        const result: unknown = await super.query({ text, values: sealed, ...(name !== undefined && { name }) });
        return openRows(result as Result, skipsUnreadable, known);
      };
      if (!callback) return run() as never;
      run().then(
        (result) => process.nextTick(callback, null, result),
        (error) => process.nextTick(callback, error),
      );
      return undefined as never;
    }
  };
}

async function sealAll(values: unknown[], cipher: Cipher, known: Known): Promise<unknown[]> {
  const seal = (value: unknown): unknown => {
    if (value instanceof Sealable) return cipher.seal(value, known);
    if (Array.isArray(value) && value.some((item) => item instanceof Sealable)) return Promise.all(value.map(seal));
    return value;
  };
  return Promise.all(values.map(seal));
}

/** Decrypts the values of all rows. With `skips`, leaves out the rows that cannot be decrypted. */
async function openRows(result: Result, skips: boolean, known: Known): Promise<Result> {
  const opened = await Promise.all((result.rows ?? []).map((row) => openRow(row, known).catch((error) => leftOut(error, skips))));
  if (skips) result.rows = opened.filter((row) => row !== undefined);
  return result;
}

async function openRow(row: Row, known: Known): Promise<Row> {
  const sealed = Object.entries(row).filter((entry): entry is [string, Unopened] => entry[1] instanceof Unopened);
  await Promise.all(
    sealed.map(async ([column, value]) => {
      row[column] = await value.open(known);
    }),
  );
  return row;
}

function leftOut(error: unknown, skips: boolean): undefined {
  if (!skips || !(error instanceof SealingError)) throw error;
}
