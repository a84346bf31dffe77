import { findSecrets } from "../agent/find-secrets.ts";
import type { Kind } from "./planted-files.ts";

export interface Hit {
  line: number;
  kind: Kind;
  rule: string;
}

/** Matches code that inserts data into a text: a template with a placeholder, a string with a plus, or an f-string. */
const composed = /(?:`[^`]*\$\{|["'][^"']*["']\s*\+|f["'][^"']*\{)/.source;
const composedSql =
  /(?:`[^`]*\b(?:select|insert|update|delete)\b[^`]*\$\{|["'][^"']*\b(?:select|insert|update|delete)\b[^"']*["']\s*\+|f["'][^"']*\b(?:select|insert|update|delete)\b[^"']*\{)/
    .source;

/**
 * The longest line that is scanned, in characters. On longer lines, the patterns could take very long, because their time may grow with the
 * square of the length. Lines that people write are shorter.
 */
const longestLine = 2_000;

const patterns: { kind: Kind; rule: string; pattern: RegExp }[] = [
  { kind: "sql-injection", rule: "composed-sql", pattern: new RegExp(`\\b(?:query|execute|raw)\\(\\s*${composedSql}`, "i") },
  { kind: "shell-injection", rule: "composed-command", pattern: new RegExp(`\\b(?:exec|execSync|system|popen)\\(\\s*${composed}`) },
  {
    kind: "path-traversal",
    rule: "composed-path",
    pattern: new RegExp(`\\b(?:readFile|readFileSync|createReadStream|sendFile|open)\\(\\s*${composed}`),
  },
];

/** Returns the problems in a file, with their line numbers. The library secretlint finds secrets, and our own patterns find injections. */
export async function scan(path: string, content: string, rules: Kind[]): Promise<Hit[]> {
  const secrets = rules.includes("secret") ? await findSecrets(content, path) : [];
  const used = patterns.filter(({ kind }) => rules.includes(kind));
  const injections = content.split("\n").flatMap((line, index) => {
    const text = line.slice(0, longestLine);
    return used.filter(({ pattern }) => pattern.test(text)).map(({ kind, rule }): Hit => ({ line: index + 1, kind, rule }));
  });
  return [...secrets.map(({ line, rule }): Hit => ({ line, kind: "secret", rule })), ...injections];
}
