import { oneLine } from "./clean.ts";

/** Returns a value as an indented outline. Keys are converted to words, and list items begin with dashes. */
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

/** Returns a key as words, such as "Executive summary" for `executiveSummary`. Returns a key that contains spaces unchanged. */
function inWords(key: string): string {
  const words = oneLine(key).replace(/([a-z])([A-Z])/g, (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
