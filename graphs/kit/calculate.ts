import { all, create } from "mathjs";

const math = create(all ?? {});
const evaluate = math.evaluate;
/** An expression is arithmetic. What could define functions, load units or read other expressions is taken away. */
math.import(
  Object.fromEntries(
    ["import", "createUnit", "evaluate", "parse", "simplify", "derivative", "resolve", "compile"].map((name) => [
      name,
      () => {
        throw new Error(`${name} is not available here`);
      },
    ]),
  ),
  { override: true },
);

/** What an arithmetic expression comes to. A file of its own, loaded when it is first used: the parser takes longer to load than all else. */
export function calculate(expression: string): string {
  return math.format(evaluate(expression), { precision: 14 });
}
