import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultOf } from "../src/cli/config.ts";
import { settings } from "../src/config.ts";
import { endpoints } from "./endpoints.ts";

const begin = "<!-- settings -->\n";
const end = "<!-- /settings -->";

/** `UPDATE_README=1 npm test` writes the table; without it a table that lags behind the code fails. */
test("the README's environment table is the one the code reads", () => {
  const readme = readFileSync("README.md", "utf8");
  const rows = Object.entries(settings).map(([name, schema]) => `| \`${name}\` | ${defaultOf(schema)} | ${schema.description} |`);
  const table = ["| variable | default | |", "|---|---|---|", ...rows, ""].join("\n");
  const written = readme.replace(new RegExp(`${begin}[^]*${end}`), () => `${begin}${table}${end}`);
  if (process.env.UPDATE_README) writeFileSync("README.md", written);
  else expect(readme).toBe(written);
});

test("the README's table of endpoints has every endpoint that is served", () => {
  const told = new Set(
    [...readFileSync("README.md", "utf8").matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`/g)].map((match) => match[1]),
  );
  expect(Object.keys(endpoints).filter((endpoint) => !told.has(endpoint))).toEqual([]);
});
