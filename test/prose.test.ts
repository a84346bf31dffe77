import { globSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { hasDocs, readPages, root, splitPage } from "./docs/pages.ts";

/** The size limit of the README, so that people read it to its end. */
const longestReadme = 8_000;
const longestSentence = 30;
const mostSemicolonsPerHundred = 2;

const pages = [...readPages(), ...(hasDocs ? [{ path: "bench/README.md", text: readFileSync(`${root}bench/README.md`, "utf8") }] : [])];

interface Sentence {
  line: number;
  text: string;
}

/** Returns the sentences of a page. Code, tables and headings are left out. A list item ends a sentence. */
function sentencesOf(page: (typeof pages)[number]): Sentence[] {
  const paragraphs: Sentence[] = [];
  let isOpen = false;
  for (const [index, line] of splitPage(page).prose.entries()) {
    const isItem = /^\s*([-*+]|\d+\.) /.test(line);
    if (line.trim() === "" || /^\s*(#|\||<!--|\[[^\]]+\]:)/.test(line)) isOpen = false;
    else {
      const text = line.replace(/^\s*(?:(?:[-*+]|\d+\.) |> ?)/, "").trim();
      const last = paragraphs.at(-1);
      if (isOpen && !isItem && last !== undefined) last.text += ` ${text}`;
      else paragraphs.push({ line: index + 1, text });
      isOpen = true;
    }
  }
  return paragraphs.flatMap(({ line, text }) => {
    const plain = text
      .replaceAll(/(`+).*?\1/g, "code")
      .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[*_]{1,2}([^*_]+)[*_]{1,2}/g, "$1");
    return plain.split(/(?<=[.!?:]["')]?) +(?=[\p{Lu}\d"'(]|code)/u).map((sentence) => ({ line, text: sentence }));
  });
}

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

test.runIf(hasDocs)(`the README has at most ${longestReadme} bytes`, () => {
  expect(statSync(`${root}README.md`).size).toBeLessThanOrEqual(longestReadme);
});

test.for(pages)(`no sentence of $path is longer than ${longestSentence} words`, (page) => {
  const long = sentencesOf(page)
    .filter(({ text }) => wordsOf(text) > longestSentence)
    .map(({ line, text }) => `${page.path}:${line}: ${wordsOf(text)} words: ${text}`);
  expect(long).toEqual([]);
});

test("the documentation has few semicolons", () => {
  const sentences = pages.flatMap(sentencesOf);
  const semicolons = sentences.reduce((sum, { text }) => sum + text.split(";").length - 1, 0);
  expect(semicolons).toBeLessThanOrEqual((sentences.length * mostSemicolonsPerHundred) / 100);
});

test.for(pages)("no sentence of $path begins with Of, What, Whoever or By", (page) => {
  const odd = sentencesOf(page)
    .filter(({ text }) => /^(Of|What|Whoever|By)\b(?!.*\?$)/.test(text))
    .map(({ line, text }) => `${page.path}:${line}: ${text}`);
  expect(odd).toEqual([]);
});

test("no doc comment begins with Of, What, Whoever or By", () => {
  const odd = globSync("{src,graphs,bench,test}/**/*.{ts,tsx}", { cwd: root, exclude: ["**/node_modules/**"] }).flatMap((path) =>
    [...readFileSync(root + path, "utf8").matchAll(/\/\*\*\s*(?:\* )?(?:Of|What|Whoever|By)\b.*/g)].map(
      ([comment]) => `${path}: ${comment}`,
    ),
  );
  expect(odd).toEqual([]);
});
