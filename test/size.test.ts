import { globSync, readFileSync } from "node:fs";
import ts from "typescript-5";
import { expect, test } from "vitest";

/** The longest function, in lines, so that it fits on a screen. */
const mostLines = 50;

/** Returns the functions of a file that are too long, including inner functions. */
function longFunctionsOf(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const [first, last] = [lineOf(node.getStart()), lineOf(node.end)];
    const isLong = last - first + 1 > mostLines;
    if (isLong && ts.isFunctionLike(node)) found.push(`${path}:${first}: ${nameOf(node)} has ${last - first + 1} lines`);
    if (isLong) ts.forEachChild(node, visit); // a shorter node holds no long function
  };
  visit(file);
  return found;
}

function nameOf({ name, parent }: ts.SignatureDeclaration): string {
  if (name) return name.getText();
  return ts.isVariableDeclaration(parent) ? parent.name.getText() : "a function without a name";
}

test(`no function of src/ has more than ${mostLines} lines`, () => {
  expect(globSync("src/**/*.ts", { exclude: ["src/console/**"] }).flatMap(longFunctionsOf)).toEqual([]);
});
