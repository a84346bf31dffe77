import { z } from "zod";
import { pick, placeIn, seededRandom } from "./random.ts";
import type { Dataset } from "./skill.ts";

/** The kinds of security problems that a scan looks for. Each kind has its own scanning rules. */
export const Kind = z.enum(["secret", "sql-injection", "shell-injection", "path-traversal"]);
export type Kind = z.infer<typeof Kind>;

/** The sizes of the generated files. */
export interface Sizes {
  /** The number of lines in a file at complexity 1. */
  lines: number;
  /** The share of files that are ten times as long as the others. */
  largeFiles: number;
}

/** A source file. If the file was generated, its problems are known. */
export interface SourceFile {
  path: string;
  content: string;
  truth: { line: number; kind: Kind }[] | null;
}

type Random = () => number;

const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"] as const;
const text = (random: Random, length: number, from: string = letters.join("")) =>
  Array.from({ length }, () => from[Math.floor(random() * from.length)]).join("");

/** Functions that return secrets. They assemble the secrets at run time, because a scanner would otherwise report this file as a leak. */
const secrets = [
  (random: Random) => `const accessKey = "AKIA${text(random, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}";`,
  (random: Random) => `const token = "ghp_${text(random, 36)}";`,
  (random: Random) => `const slack = "xoxb-${text(random, 12, "0123456789")}-${text(random, 12, "0123456789")}-${text(random, 24)}";`,
  (random: Random) => `const stripe = "sk_live_${text(random, 24)}";`,
  (random: Random) => `const db = "postgres://admin:${text(random, 14)}@db.internal:5432/orders";`,
  (random: Random) => `registry.login("npm_${text(random, 36)}");`,
] as const;

const injections: readonly [Kind, (name: string) => string][] = [
  ["sql-injection", (name) => `const rows = await db.query(\`select * from users where name = '\${${name}}'\`);`],
  ["sql-injection", (name) => `await db.execute("delete from orders where id = " + ${name});`],
  ["sql-injection", (name) => `cursor.execute(f"update users set role = '{${name}}'")`],
  ["shell-injection", (name) => `exec(\`git log \${${name}}\`);`],
  ["shell-injection", (name) => `os.system("ping -c 1 " + ${name})`],
  ["shell-injection", (name) => `execSync("tar xf " + ${name});`],
  ["path-traversal", (name) => `const page = await readFile("./pages/" + ${name});`],
  ["path-traversal", (name) => `response.sendFile(\`\${root}/\${${name}}\`);`],
  ["path-traversal", (name) => `with open("uploads/" + ${name}) as file:`],
  // In the next two lines, a variable or `join` composes the query or command. Patterns for single calls miss such lines, so even a good
  // scanner does not get the best score.
  ["sql-injection", (name) => `const where = "name = '" + ${name} + "'"; const found = await run(base + where);`],
  ["shell-injection", (name) => `spawn("sh", ["-c", ["convert", ${name}].join(" ")]);`],
];

/** Lines that look like problems but are harmless. A scanner should not report them. */
const decoys = [
  () => `const rows = await db.query("select * from users where name = $1", [name]);`,
  () => `execFile("git", ["log", "--", name]);`,
  () => `const page = await readFile(join("./pages", basename(name)));`,
  () => `const accessKey = process.env.AWS_ACCESS_KEY_ID;`,
  () => `const token = "ghp_${"x".repeat(36)}"; // put yours here`,
  (random: Random) => `const checksum = "${text(random, 40, "0123456789abcdef")}";`,
  () => `await db.execute("select count(*) " + "from orders");`,
  () => `const db = "postgres://localhost:5432/orders";`,
] as const;

const plain = [
  () => `const total = items.reduce((sum, item) => sum + item.price, 0);`,
  () => `if (!user) return response.status(404).send("no such user");`,
  () => `log.info({ count: rows.length }, "done");`,
  () => `export function area(width, height) { return width * height; }`,
  () => `for (const row of rows) seen.add(row.id);`,
  () => `// Sorted, because the report is read from the top.`,
] as const;

const names = ["name", "request.query.id", "input", "params.file", "body.user"] as const;

/** Generates source files with secrets and injections hidden among harmless lines. Some of the harmless lines look harmful. */
export function plantFiles({ size, distribution, seed, complexity }: Dataset, { lines, largeFiles }: Sizes): SourceFile[] {
  const random = seededRandom(seed);
  const isLarge = (index: number) => Math.floor((index + 1) * largeFiles) > Math.floor(index * largeFiles);
  return Array.from({ length: size }, (_, index) => {
    const faults = Math.floor(placeIn(distribution, random) * 4);
    return plantFile(index, faults, Math.round(lines * complexity) * (isLarge(index) ? 10 : 1), random);
  });
}

function plantFile(index: number, faults: number, length: number, random: Random): SourceFile {
  const lines: { line: string; kind?: Kind }[] = [];
  for (let count = 0; count < faults; count++) lines.push(plantFault(random));
  for (let count = 0; count < 2; count++) if (random() < 0.5) lines.push({ line: pick(random, decoys)(random) });
  while (lines.length < length) lines.push({ line: pick(random, plain)() });
  const shuffled = lines.map((line) => ({ line, place: random() })).sort((a, b) => a.place - b.place);
  return {
    path: `src/${pick(random, ["orders", "users", "reports", "jobs"])}/${index}.ts`,
    content: shuffled.map(({ line }) => line.line).join("\n"),
    truth: shuffled.flatMap(({ line: { kind } }, place) => (kind ? [{ line: place + 1, kind }] : [])),
  };
}

function plantFault(random: Random): { line: string; kind: Kind } {
  if (random() < 0.4) return { line: pick(random, secrets)(random), kind: "secret" };
  const [kind, write] = injections[Math.floor(random() * injections.length)] ?? ["sql-injection", () => ""];
  return { line: write(pick(random, names)), kind };
}
