import { createRequire } from "node:module";
import type { FunctionNode, MathNode } from "mathjs";

/** The library mathjs, loaded from its single-file build. Loading its thousand separate modules would block the process for a second. */
const { all, create }: typeof import("mathjs") = createRequire(import.meta.url)("mathjs/lib/browser/math.js");
const math = create(all ?? {});

const constants = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI],
  ["phi", (1 + Math.sqrt(5)) / 2],
]);

type Calculation = (...values: number[]) => number;
const table = (calculations: Record<string, Calculation>) => new Map(Object.entries(calculations));

const factorial = (a = 0) => math.factorial(a);
/**
 * The operators, by their names in mathjs. They work on plain numbers, so each operation takes the same short time, however large its
 * result is.
 */
const operators = table({
  add: (a = 0, b = 0) => a + b,
  subtract: (a = 0, b = 0) => a - b,
  multiply: (a = 0, b = 0) => a * b,
  divide: (a = 0, b = 0) => a / b,
  pow: (a = 0, b = 0) => a ** b,
  mod: (a = 0, b = 0) => math.mod(a, b),
  unaryMinus: (a = 0) => -a,
  unaryPlus: (a = 0) => a,
  factorial,
});

const { abs, floor, ceil, trunc, sqrt, cbrt, exp, log10, log2, sign, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh } = Math;
const ofOne = table({
  ...{ abs, floor, ceil, fix: trunc, sqrt, cbrt, exp, log10, log2, sign, factorial },
  ...{ sin, cos, tan, asin, acos, atan, sinh, cosh, tanh },
});
const ofTwo = table({
  round: (a = 0, decimals = 0) => math.round(a, decimals),
  log: (a = 0, base = Math.E) => Math.log(a) / Math.log(base),
  pow: (a = Number.NaN, b = Number.NaN) => a ** b,
  mod: (a = Number.NaN, b = Number.NaN) => math.mod(a, b),
  atan2: (a = Number.NaN, b = Number.NaN) => Math.atan2(a, b),
});
const sum = (...values: number[]) => values.reduce((total, value) => total + value, 0);
const ofMany = table({
  ...{ min: Math.min, max: Math.max, hypot: Math.hypot, sum },
  mean: (...values) => sum(...values) / values.length,
  gcd: (...values) => values.reduce(gcd, 0),
  lcm: (...values) => values.reduce((a, b) => (a && b ? Math.abs(a / gcd(a, b)) * Math.abs(b) : 0)),
});

/** Returns the greatest common divisor. Throws for integers that are not exact, because the calculation might then never end. */
function gcd(a: number, b: number): number {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) throw new Error("gcd and lcm need whole numbers of 15 digits at most");
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/**
 * Returns the value of an arithmetic expression. mathjs only parses the expression and formats the result. It must not evaluate the
 * expression, because an expression can define functions, fill the memory, or change mathjs for all later runs.
 */
export function calculate(expression: string): string {
  const result = read(math.parse(expression), new Map());
  if (Number.isNaN(result)) throw new Error("The result is not a real number");
  return math.format(result, { precision: 14 });
}

/**
 * Returns the value of a node of the parsed expression. `known` caches the values of nodes, because the parser puts the left side of "a +
 * b%" into the tree twice. Without the cache, each nested expression of this form would double the work.
 */
function read(node: MathNode, known: Map<MathNode, number>): number {
  const value = known.get(node) ?? evaluate(node, (part) => read(part, known));
  known.set(node, value);
  return value;
}

function evaluate(node: MathNode, readPart: (part: MathNode) => number): number {
  if (math.isParenthesisNode(node)) return readPart(node.content);
  if (math.isOperatorNode(node)) return calculationOf(node)(...node.args.map(readPart));
  if (math.isFunctionNode(node)) return functionOf(node)(...node.args.map(readPart));
  if (math.isSymbolNode(node)) return constants.get(node.name) ?? refuse(node.name);
  if (math.isConstantNode(node)) return typeof node.value === "number" ? node.value : refuse(`${typeof node.value} as a value`);
  return refuse(node.type.replace(/Node$/, ""));
}

function calculationOf({ fn, op }: { fn: string; op: string }): Calculation {
  return operators.get(fn) ?? refuse(op);
}

function functionOf({ fn, args }: FunctionNode): Calculation {
  if (!math.isSymbolNode(fn)) return refuse("A function without a name");
  const found = ofOne.get(fn.name) ?? ofTwo.get(fn.name) ?? ofMany.get(fn.name) ?? refuse(fn.name);
  const most = ofOne.has(fn.name) ? 1 : ofTwo.has(fn.name) ? 2 : Number.POSITIVE_INFINITY;
  if (args.length < 1 || args.length > most) throw new Error(`${fn.name} does not take ${args.length} numbers`);
  return found;
}

function refuse(what: string): never {
  throw new Error(`${what} is not available here: an expression is made of numbers, operators, pi, e, tau, phi and common functions`);
}
