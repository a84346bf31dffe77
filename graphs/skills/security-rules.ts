import type { Kind } from "./planted-files.ts";

export interface Hit {
  line: number;
  kind: Kind;
  rule: string;
}

/** Matches code that inserts other data into a text: a template with a placeholder, a string with a plus, or an f-string. */
const composed = /(?:`[^`]*\$\{|["'][^"']*["']\s*\+|f["'][^"']*\{)/.source;
const composedSql =
  /(?:`[^`]*\b(?:select|insert|update|delete)\b[^`]*\$\{|["'][^"']*\b(?:select|insert|update|delete)\b[^"']*["']\s*\+|f["'][^"']*\b(?:select|insert|update|delete)\b[^"']*\{)/
    .source;

/**
 * The longest line that is scanned, in characters. On longer lines the patterns could take very long, because their time may grow with
 * the square of the length. People do not write such lines.
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
  const secrets = rules.includes("secret") ? await findSecrets(path, content) : [];
  const used = patterns.filter(({ kind }) => rules.includes(kind));
  const injections = content.split("\n").flatMap((line, index) => {
    const text = line.slice(0, longestLine);
    return used.filter(({ pattern }) => pattern.test(text)).map(({ kind, rule }): Hit => ({ line: index + 1, kind, rule }));
  });
  return [...secrets, ...injections];
}

async function findSecrets(path: string, content: string): Promise<Hit[]> {
  const { secretLintProfiler } = await import("@secretlint/profiler");
  secretLintProfiler.setEnabled(false); // otherwise the profiler would keep an entry in memory for every rule of every file
  const { lintSource } = await import("@secretlint/core"); // loaded on use, because it would slow down every start of the service
  const { creator: recommended } = await import("@secretlint/secretlint-rule-preset-recommend");
  const { messages } = await lintSource({
    source: { filePath: path, content, contentType: "text", ext: path.slice(path.lastIndexOf(".")) },
    options: { config: { rules: [{ id: "recommended", rule: recommended }] }, noPhysicFilePath: true, maskSecrets: true },
  });
  return messages.map(({ loc, ruleId }): Hit => ({ line: loc.start.line, kind: "secret", rule: ruleId }));
}
