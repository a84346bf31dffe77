import { pick, placeIn, seededRandom } from "./random.ts";
import type { Dataset } from "./skill.ts";

/** A line of an order file, and the facts about the order that the generator knows. */
export interface Order {
  id: number;
  line: string;
  /** The texts by which orders are compared, one for each product. */
  texts: string[];
  /** The id of the earlier order that this order repeats with a typing error. Null if the order is not a repetition. */
  repeats: number | null;
  /** Whether the line is complete. An incomplete line cannot be read. */
  whole: boolean;
}

const regions = ["north", "east", "south", "west", "centre"] as const;
const firstNames = ["Ada", "Bela", "Chidi", "Dora", "Emre", "Freya", "Goro", "Hana", "Ivo", "Jun", "Kaya", "Leif"] as const;
const lastNames = ["Abara", "Brandt", "Castillo", "Dubois", "Eriksen", "Fujita", "Gruber", "Haddad", "Ionescu", "Jansen"] as const;
const products = ["anvil", "bellows", "chisel", "drill", "easel", "file", "gimlet", "hammer", "iron", "jointer"] as const;

/** Generates orders. Some repeat an earlier order with a typing error, and some are cut off in the middle. */
export function generateOrders({ size, distribution, seed, complexity }: Dataset): Order[] {
  const random = seededRandom(seed);
  const orders: Order[] = [];
  for (let id = 0; id < size; id++) {
    const original = orders[Math.floor(random() * orders.length)];
    const chance = random();
    if (original?.whole && original.repeats === null && chance < 0.08) orders.push(repeated(original, id, random));
    else orders.push(fresh(id, chance > 0.98, placeIn(distribution, random), random, Math.max(1, Math.round(complexity))));
  }
  return orders;
}

function fresh(id: number, cutOff: boolean, place: number, random: () => number, count: number): Order {
  const customer = `${pick(random, firstNames)} ${pick(random, lastNames)} ${Math.floor(place * 500)}`;
  const ordered = Array.from({ length: count }, () => `${pick(random, products)} no. ${Math.floor(random() * 90_000) + 10_000}`);
  const whole = `${id};${customer};${ordered.join("|")};${(random() * 500).toFixed(2)}`;
  const line = cutOff ? whole.slice(0, 12) : whole;
  return { id, line, texts: textsOf(line), repeats: null, whole: !cutOff };
}

/** Returns a copy of an order with one letter of its first product replaced. */
function repeated(original: Order, id: number, random: () => number): Order {
  const [, customer = "", ordered = "", amount = ""] = original.line.split(";");
  const [product = "", ...others] = ordered.split("|");
  const at = Math.floor(random() * product.length);
  const slipped = `${product.slice(0, at)}x${product.slice(at + 1)}`;
  const line = [id, customer, [slipped, ...others].join("|"), amount].join(";");
  return { id, line, texts: textsOf(line), repeats: original.id, whole: true };
}

export function parseOrder(line: string): { customer: string; products: string[]; amount: number } | undefined {
  const [, customer, ordered, amount] = line.split(";");
  return customer && ordered && Number(amount) >= 0 ? { customer, products: ordered.split("|"), amount: Number(amount) } : undefined;
}

function textsOf(line: string): string[] {
  const parsed = parseOrder(line);
  return parsed ? parsed.products.map((product) => `${parsed.customer} ${product} ${parsed.amount}`) : [line];
}

/** Returns the region of a customer. It is derived from the number in the customer's name. */
export function regionOf(customer: string): string {
  const number = Number(customer.split(" ").at(-1));
  return regions[number % regions.length] ?? "unknown";
}
