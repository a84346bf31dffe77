import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  page: string;
  /** The line of the opening fence, from 1. */
  line: number;
  language: string;
  /** The words after the language, such as "run" or "file=agent.ts". */
  words: string[];
  code: string;
}

/** A page of the documentation, with its path in the repository. */
export interface Page {
  path: string;
  text: string;
}

/** True if this repository has the documentation. Without docs/README.md, only the code is tested. */
export const hasDocs = existsSync(`${root}docs/README.md`);

const read = (path: string): Page => ({ path, text: readFileSync(root + path, "utf8") });

/** Returns README.md and every page of docs/. */
export const readPages = (): Page[] => [...(hasDocs ? ["README.md"] : []), ...globSync("docs/**/*.md", { cwd: root }).sort()].map(read);

/** Returns the pages of `readPages`, and the READMEs of other folders. */
export const readAllPages = (): Page[] => [
  ...readPages(),
  ...["bench/README.md", ...globSync("graphs/**/*.md", { cwd: root }).sort()].map(read),
];

const fence = /^( *)(`{3,}|~{3,})(.*)$/;

/**
 * Splits a page into its fenced blocks and its other lines. The prose has empty lines in place of a block, so that line numbers stay right.
 */
export function splitPage({ path, text }: Page): { blocks: Block[]; prose: string[] } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; indent: number; block: Block; code: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", marks = "", info = ""] = fence.exec(line) ?? [];
    if (open === undefined && marks === "") prose.push(line);
    else prose.push("");
    if (open === undefined && marks !== "") {
      const [language = "", ...words] = info.trim().split(/\s+/);
      open = { fence: marks, indent: indent.length, block: { page: path, line: index + 1, language, words, code: "" }, code: [] };
    } else if (open !== undefined && marks.startsWith(open.fence) && info.trim() === "") {
      blocks.push({ ...open.block, code: `${open.code.join("\n")}\n` });
      open = undefined;
    } else if (open !== undefined) open.code.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  if (open !== undefined) throw new Error(`${path}:${open.block.line}: the block has no end.`);
  return { blocks, prose };
}

/** The kinds of block that the documentation may have. */
export type Kind = "file" | "run" | "check" | "shell" | "json" | "shown" | "norun";

/** Returns what the tests do with a block. Throws if its info string is unknown. */
export function kindOf({ page, line, language, words }: Block): Kind {
  const [word, ...others] = words;
  if (others.length === 0 && language !== "") {
    if (word === "norun") return "norun";
    if (word?.startsWith("file=") && word.length > "file=".length) return "file";
    if (language === "ts" && (word === "run" || word === "check")) return word;
    if (word === undefined && language === "sh") return "shell";
    if (word === undefined && language === "json") return "json";
    if (word === undefined && ["text", "yaml", "sql", "mermaid"].includes(language)) return "shown";
  }
  throw new Error(`${page}:${line}: no block may be "${[language, ...words].join(" ")}". test/docs/pages.ts lists the kinds.`);
}

export const fileOf = ({ words }: Block): string => words[0]?.slice("file=".length) ?? "";
