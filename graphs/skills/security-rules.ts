import type { Kind } from "./planted-files.ts";

export interface Hit {
  line: number;
  kind: Kind;
  rule: string;
}

/** Matches text that includes outside data: a template with a hole, a string with a plus, an f-string. */
const composed = /(?:`[^`]*\$\{|["'][^"']*["']\s*\+|f["'][^"']*\{)/.source;
const composedSql =
  /(?:`[^`]*\b(?:select|insert|update|delete)\b[^`]*\$\{|["'][^"']*\b(?:select|insert|update|delete)\b[^"']*["']\s*\+|f["'][^"']*\b(?:select|insert|update|delete)\b[^"']*\{)/
    .source;

/** The longest line that is scanned. The patterns take quadratic time on some lines, and people write no longer ones. */
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

/** Returns the problems of a file by line: secrets by the rules of secretlint, injections by patterns. */
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
  secretLintProfiler.setEnabled(false); // it would keep a mark for every rule of every file for ever
  const { lintSource } = await import("@secretlint/core"); // loaded on use, because every start of the service would pay for it
  const { creator: recommended } = await import("@secretlint/secretlint-rule-preset-recommend");
  const { messages } = await lintSource({
    source: { filePath: path, content, contentType: "text", ext: path.slice(path.lastIndexOf(".")) },
    options: { config: { rules: [{ id: "recommended", rule: recommended }] }, noPhysicFilePath: true, maskSecrets: true },
  });
  return messages.map(({ loc, ruleId }): Hit => ({ line: loc.start.line, kind: "secret", rule: ruleId }));
}
