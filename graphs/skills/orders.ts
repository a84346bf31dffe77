import { pick, placeIn, seededRandom } from "./random.ts";
import type { Dataset } from "./skill.ts";

/** A line of an order file, with the truth about it. */
export interface Order {
  id: number;
  line: string;
  /** The order that this one repeats with a typing error. */
  repeats: number | null;
  /** Tells whether the line can be read. */
  whole: boolean;
}

const regions = ["north", "east", "south", "west", "centre"] as const;
const firstNames = ["Ada", "Bela", "Chidi", "Dora", "Emre", "Freya", "Goro", "Hana", "Ivo", "Jun", "Kaya", "Leif"] as const;
const lastNames = ["Abara", "Brandt", "Castillo", "Dubois", "Eriksen", "Fujita", "Gruber", "Haddad", "Ionescu", "Jansen"] as const;
const products = ["anvil", "bellows", "chisel", "drill", "easel", "file", "gimlet", "hammer", "iron", "jointer"] as const;

/** Generates orders. Some repeat an earlier one with a typing error, and some are cut off. */
export function generateOrders({ size, distribution, seed }: Dataset): Order[] {
  const random = seededRandom(seed);
  const orders: Order[] = [];
  for (let id = 0; id < size; id++) {
    const original = orders[Math.floor(random() * orders.length)];
    const chance = random();
    if (original?.whole && original.repeats === null && chance < 0.08) orders.push(repeated(original, id, random));
    else orders.push(fresh(id, chance > 0.98, placeIn(distribution, random), random));
  }
  return orders;
}

function fresh(id: number, cutOff: boolean, place: number, random: () => number): Order {
  const customer = `${pick(random, firstNames)} ${pick(random, lastNames)} ${Math.floor(place * 500)}`;
  const line = `${id};${customer};${pick(random, products)} no. ${Math.floor(random() * 90_000) + 10_000};${(random() * 500).toFixed(2)}`;
  return { id, line: cutOff ? line.slice(0, 12) : line, repeats: null, whole: !cutOff };
}

/** Replaces one letter of the product. */
function repeated(original: Order, id: number, random: () => number): Order {
  const [, customer = "", product = "", amount = ""] = original.line.split(";");
  const at = Math.floor(random() * product.length);
  const slipped = `${product.slice(0, at)}x${product.slice(at + 1)}`;
  return { id, line: [id, customer, slipped, amount].join(";"), repeats: original.id, whole: true };
}

export function parseOrder(line: string): { customer: string; product: string; amount: number } | undefined {
  const [, customer, product, amount] = line.split(";");
  return customer && product && Number(amount) >= 0 ? { customer, product, amount: Number(amount) } : undefined;
}

/** Returns a customer's region, derived from the number in the name. */
export function regionOf(customer: string): string {
  const number = Number(customer.split(" ").at(-1));
  return regions[number % regions.length] ?? "unknown";
}
