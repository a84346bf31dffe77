/** A secret in a text: its position, and the rule that found it. */
export interface Secret {
  line: number;
  start: number;
  end: number;
  rule: string;
}

/** Returns the secrets in a text, such as keys and tokens. The library secretlint finds them. */
export async function findSecrets(content: string, path = "text.txt"): Promise<Secret[]> {
  const { secretLintProfiler } = await import("@secretlint/profiler");
  secretLintProfiler.setEnabled(false); // otherwise the profiler would keep one entry in memory for each rule and checked text
  // imported on first use, because the library would slow down every start of the service
  const { lintSource } = await import("@secretlint/core");
  const { creator: recommended } = await import("@secretlint/secretlint-rule-preset-recommend");
  const { messages } = await lintSource({
    source: { filePath: path, content, contentType: "text", ext: path.slice(path.lastIndexOf(".")) },
    options: { config: { rules: [{ id: "recommended", rule: recommended }] }, noPhysicFilePath: true, maskSecrets: true },
  });
  return messages.map(({ loc, range: [start, end], ruleId }) => ({ line: loc.start.line, start, end, rule: ruleId }));
}
