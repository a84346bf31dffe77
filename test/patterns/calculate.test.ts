import { expect, test } from "vitest";
import { calculate } from "../../graphs/agent/calculate.ts";

test.each([
  ["(2 + 3) * 4", "20"],
  ["0.1 + 0.2", "0.3"],
  ["-2^2 + 2^-1", "-3.5"],
  ["8 mod 3 + 7 % 4", "5"],
  ["200 + 10%", "220"],
  ["2 pi / tau + e - e", "1"],
  ["round(1.005, 2) + round(2.4)", "3.01"],
  ["log(8, 2) + log(e) + log10(1000) + log2(4)", "9"],
  ["5! + factorial(3)", "126"],
  ["min(3, 1, 2) + max(4) + sum(1, 2) + mean(1, 2, 6)", "11"],
  ["gcd(12, 18) + lcm(4, 6)", "18"],
  ["sqrt(16) + cbrt(27) + abs(-1) + hypot(3, 4)", "13"],
  ["cos(0) + sin(0) + atan2(0, 1) + sign(-7) + pow(2, 3) + mod(-7, 3)", "10"],
  ["1 / 0", "Infinity"],
  ["9^9^9^9 + 171! + (10^300)!", "Infinity"],
])("%s is %s", (expression, result) => {
  expect(calculate(expression)).toBe(result);
});

test.each([
  ['config({number: "BigNumber"})', "config is not available here"],
  ["sum(map(1:3000000, f(x) = x^2))", "map is not available here"],
  ["ones(30000, 30000)", "ones is not available here"],
  ["f(x) = x^2", "FunctionAssignment is not available here"],
  ["x = 2", "Assignment is not available here"],
  ["1:3000000", "Range is not available here"],
  ["sum([1, 2])", "Array is not available here"],
  ["[1, 2][1]", "Accessor is not available here"],
  ["{a: 1}", "Object is not available here"],
  ["1 ? 2 : 3", "Conditional is not available here"],
  ["1; 2", "Block is not available here"],
  ["1 < 2", "< is not available here"],
  ["3 kg", "kg is not available here"],
  ['"text"', "string as a value is not available here"],
  ["true", "boolean as a value is not available here"],
  ["", "undefined as a value is not available here"],
  ["toString", "toString is not available here"],
  ["constructor(1)", "constructor is not available here"],
  ["cos.constructor(1)", "A function without a name is not available here"],
  ["sqrt(2, 5)", "sqrt does not take 2 numbers"],
  ["mean()", "mean does not take 0 numbers"],
  ["pow(2)", "not a real number"],
  ["sqrt(-1)", "not a real number"],
  ["gcd(1e300, 7)", "need whole numbers"],
  ["1 +", "Unexpected end of expression"],
])("%s is refused: %s", (expression, reason) => {
  expect(() => calculate(expression)).toThrow(reason);
});

test("a percentage of a percentage, and so on, takes no longer than it is", () => {
  expect(calculate(`${"(".repeat(160)}1${"+1%)".repeat(160)}`)).toBe(calculate("1.01^160"));
});

test("no expression changes what a later one comes to", () => {
  expect(() => calculate('config({number: "BigNumber"})')).toThrow();
  expect(calculate("2^0.5")).toBe("1.4142135623731");
});
