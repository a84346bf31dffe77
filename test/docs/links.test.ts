import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";
import { hasDocs, readAllPages, readPages, root, splitPage } from "./pages.ts";

const pages = readAllPages();
const anchors = new Map(pages.map((page) => [page.path, anchorsOf(splitPage(page).prose)]));

/** Returns the anchors of a page's headings, as GitHub makes them. */
function anchorsOf(lines: string[]): Set<string> {
  const found = new Set<string>();
  for (const line of lines) {
    const [, heading] = /^#{1,6} +(.*?) *#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let number = 1; found.has(anchor); number++) anchor = `${slug}-${number}`;
    found.add(anchor);
  }
  return found;
}

const linksOf = (lines: string[]) =>
  lines.flatMap((line, index) => {
    const text = line.replaceAll(/`[^`]*`/g, "code");
    return [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target = ""]) => ({ line: index + 1, target }));
  });

test.for(pages)("the links of $path lead somewhere", (page) => {
  const broken = linksOf(splitPage(page).prose)
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .filter(({ target }) => !leadsSomewhere(page.path, target))
    .map(({ line, target }) => `${page.path}:${line}: ${target}`);
  expect(broken).toEqual([]);
});

function leadsSomewhere(from: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? from : normalize(join(dirname(from), path));
  if (file.startsWith("..") || !existsSync(join(root, file))) return false;
  return anchor === undefined || (anchors.get(file)?.has(anchor) ?? false);
}

test.for(pages)("files of the repository that $path names exist", ({ path, text }) => {
  const named = [...text.matchAll(/`((?:src|graphs|migrations|test|bench)\/[\w./-]*)`/g)].map(([, file = ""]) => file);
  const missing = named.filter((file) => !existsSync(join(root, file))).map((file) => `${path}: ${file}`);
  expect(missing.filter((file) => !isMadeInText(file))).toEqual([]);
});

/** The results of a command and installed packages are missing in a fresh clone. */
const isMadeInText = (file: string) => /bench\/(results|peer)/.test(file);

test.runIf(hasDocs).for(["docs/README.md", "docs/llms.txt"])("%s names every page", (index) => {
  const text = readFileSync(join(root, index), "utf8");
  const missing = readPages()
    .map(({ path }) => path)
    .filter((path) => path !== "README.md" && path !== "docs/README.md")
    .filter((path) => !text.includes(`](${relative("docs", path)}`) && !text.includes(`/${path}`));
  expect(missing).toEqual([]);
});
