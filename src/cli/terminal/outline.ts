import { oneLine } from "./clean.ts";

/** A value as an outline: keys in words, lists with dashes, what is inside indented. */
export function outline(value: unknown, indent = ""): string {
  if (Array.isArray(value)) return value.map((each) => `${indent}- ${outline(each, `${indent}  `).trimStart()}`).join("\n");
  if (typeof value !== "object" || value === null) return `${indent}${String(value).replaceAll("\n", `\n${indent}`)}`;
  return Object.entries(value)
    .filter(([, each]) => !isEmpty(each))
    .map(([key, each]) => {
      const title = `${indent}${inWords(key)}:`;
      return isLeaf(each) ? `${title} ${String(each)}` : `${title}\n${outline(each, `${indent}  `)}`;
    })
    .join("\n");
}

const isLeaf = (value: unknown) => (typeof value !== "object" || value === null) && !String(value).includes("\n");
const isEmpty = (value: unknown) => value === null || (typeof value === "object" && Object.keys(value).length === 0);

/** `executiveSummary` is "Executive summary"; a key that is words already stays as it is. */
function inWords(key: string): string {
  const words = oneLine(key).replace(/([a-z])([A-Z])/g, (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
