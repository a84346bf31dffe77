import type { Figure, Table } from "./measured.ts";

export function formatTable({ title, columns, rows }: Table): string {
  const body = Object.entries(rows).map(([name, figures]) => [name, ...figures.map(formatFigure)]);
  return alignCells([[title, ...columns], ...body]);
}

/** Returns cells as aligned lines. The first column is aligned to the left, and the others to the right. */
export function alignCells(lines: string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2)))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

function formatFigure(figure: Figure): string {
  if (figure === undefined) return "-";
  if (typeof figure === "number") return formatNumber(figure);
  return `${formatNumber(figure.median)} (${formatNumber(figure.low)}–${formatNumber(figure.high)})`;
}

/** Formats a number. From 100 on, it has no decimals. From 10 on, it has one decimal, and below 10 two. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value));
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
