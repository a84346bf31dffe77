import { createRequire } from "node:module";

/** The same library as one file: its thousand modules take a second to load, in which the process does nothing else. */
const { all, create }: typeof import("mathjs") = createRequire(import.meta.url)("mathjs/lib/browser/math.js");

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

/** What an arithmetic expression comes to. A file of its own, loaded when it is first used. */
export function calculate(expression: string): string {
  return math.format(evaluate(expression), { precision: 14 });
}
