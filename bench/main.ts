import { parseArgs } from "node:util";
import { parts } from "./parts.ts";
import { formatTable } from "./table.ts";

/** `npm run bench [-- part …] [--quick] [--json]`: all parts, or those that are named. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}.`);

for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const measured = await measure({ quick: values.quick });
  console.log(values.json ? JSON.stringify({ part: name, ...measured }) : `${formatTable(measured)}\n`);
}
