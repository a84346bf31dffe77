import { z } from "zod";

/** The largest capacity of a resource. Amounts are stored as integers of 32 bits. */
export const mostUnits = 2_147_483_647;

/** The name of a resource. Names are part of URLs, metrics and error messages, so they must be printable. */
export const ResourceName = z
  .string()
  .regex(/^(?! )[^\p{Cc}\p{Cs}]{1,100}(?<! )$/u, "must have 1 to 100 characters, no control characters, and no space at either end");

const units = { s: 1, m: 60, h: 3_600, d: 86_400 };
const ratePattern = /^([1-9]\d{0,9})\/([smhd])$/;

/** The limit of a resource, as langgraph.json and the API write it. */
export const ResourceLimit = z
  .object({
    pool: z.number().int().min(1).max(mostUnits).optional().describe("Number of units that nodes can hold at once."),
    rate: z
      .string()
      .regex(ratePattern, 'must be a whole number and a unit of time, such as "10/s", "1000/m", "500/h" or "100/d"')
      .refine((rate) => Number.parseInt(rate, 10) <= mostUnits, `must be at most ${mostUnits}`)
      .optional()
      .describe('Number of tokens in a unit of time, such as `"1000/m"`. The units are `s`, `m`, `h` and `d`.'),
  })
  .loose()
  .refine(({ pool, rate }) => (pool === undefined) !== (rate === undefined), "must have either pool or rate");
export type ResourceLimit = z.infer<typeof ResourceLimit>;

export const ResourceKind = z.enum(["pool", "rate"]);
export type ResourceKind = z.infer<typeof ResourceKind>;

/** The limit of a resource, as the columns of the table `resources` store it. */
export interface LimitColumns {
  kind: ResourceKind;
  capacity: number;
  perSeconds: number | null;
}

export function toColumns({ pool, rate = "" }: ResourceLimit): LimitColumns {
  if (pool !== undefined) return { kind: "pool", capacity: pool, perSeconds: null };
  const [, capacity, unit] = ratePattern.exec(rate) ?? [];
  return { kind: "rate", capacity: Number(capacity), perSeconds: units[unit as keyof typeof units] };
}

export function toLimit({ kind, capacity, perSeconds }: LimitColumns): ResourceLimit {
  if (kind === "pool") return { pool: capacity };
  const unit = Object.entries(units).find(([, seconds]) => seconds === perSeconds)?.[0];
  return { rate: `${capacity}/${unit}` };
}
