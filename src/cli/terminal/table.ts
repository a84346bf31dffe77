import { oneLine } from "./clean.ts";
import type { Screen } from "./screen.ts";

/** Shows rows under a heading. Each column is as wide as its widest cell, and numbers are aligned to the right. */
export function showTable(screen: Screen, heading: string[], rows: string[][]): void {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = heading.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const figures = heading.map((_, column) => {
    const texts = cells.map((row) => row[column] ?? "");
    return texts.some((text) => /\d/.test(text)) && texts.every((text) => /^(-|[-+\d.]+( \S+)?)$/.test(text));
  });
  const lay = (row: string[]) =>
    row
      .map((text, column) => (figures[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  screen.line(["bold", lay(heading)]);
  for (const row of cells) screen.line(lay(row));
}
