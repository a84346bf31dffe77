import { numbersIn } from "./extract.ts";
import { type Schema, typeOf } from "./json-schema.ts";
import { numberBeside, readLabelled } from "./labelled.ts";
import type { Filling, Place } from "./place.ts";
import { fractionOf } from "./words.ts";

interface Bounds {
  low: number;
  high: number;
  step: number;
}

/** Returns the number that the prompt gives for this field, else an unused number of the prompt, else an estimate within the bounds. */
export function fillNumber(schema: Schema, place: Place, filling: Filling): number {
  const bounds = boundsOf(schema);
  const { material, isCall, used } = filling;
  const labelled = Number(readLabelled(place, material) ?? Number.NaN);
  const free = [...numbersIn(place.about), ...(isCall ? numbersIn(material.task) : [])].filter((number) => !used.has(`number ${number}`));
  const isMeasured = Number.isFinite(bounds.low) && Number.isFinite(bounds.high);
  const candidates = [
    numberBeside(place, place.about),
    labelled,
    numberBeside(place, material.text),
    ...(isMeasured && !isCall ? [] : free),
  ];
  const chosen = candidates.find((number) => number !== undefined && fits(number, bounds));
  if (chosen === undefined) return typeof schema.default === "number" ? schema.default : estimate(bounds, `${place.path} ${place.about}`);
  used.add(`number ${chosen}`);
  return chosen;
}

/** Returns the bound, or the default when it only says "a safe integer". */
const realBound = (bound: number | undefined, otherwise: number) => (bound === undefined || Math.abs(bound) > 1e15 ? otherwise : bound);

function boundsOf(schema: Schema): Bounds {
  const step = schema.multipleOf ?? (typeOf(schema) === "integer" ? 1 : 0);
  const beside = step || 0.01;
  const low = Math.max(realBound(schema.minimum, -Infinity), realBound(schema.exclusiveMinimum, -Infinity) + beside);
  const high = Math.min(realBound(schema.maximum, Infinity), realBound(schema.exclusiveMaximum, Infinity) - beside);
  return { low, high, step };
}

function fits(number: number, { low, high, step }: Bounds): boolean {
  return (
    Number.isFinite(number) && number >= low && number <= high && (step === 0 || Math.abs(number / step - Math.round(number / step)) < 1e-9)
  );
}

/** Returns a number in the upper half of the allowed range, because a rehearsal goes well. */
function estimate({ low, high, step }: Bounds, seed: string): number {
  const isBounded = Number.isFinite(low) && Number.isFinite(high);
  const target = isBounded ? low + (high - low) * (0.7 + 0.2 * fractionOf(seed)) : Math.min(Math.max(1, low), high);
  if (step > 0) return clamp(Number((Math.floor(target / step) * step).toPrecision(12)), Math.ceil(low / step) * step, high);
  const digits = isBounded ? Math.max(0, 2 - Math.floor(Math.log10(high - low || 1))) : 2;
  return clamp(Number(target.toFixed(Math.min(digits, 15))), low, high);
}

const clamp = (number: number, low: number, high: number) => Math.min(Math.max(number, low), high);
