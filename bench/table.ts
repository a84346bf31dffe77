import type { Measured } from "./parts.ts";

export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

export function formatTable({ title, columns, rows }: Measured): string {
  const widths = columns.map((column) => Math.max(9, column.length + 2));
  const first = Math.max(title.length, ...Object.keys(rows).map((name) => name.length)) + 2;
  const line = (name: string, cells: string[]) =>
    name.padEnd(first) + cells.map((cell, index) => cell.padStart(widths[index] ?? 9)).join("");
  return [line(title, columns), ...Object.entries(rows).map(([name, values]) => line(name, values.map(formatFigure)))].join("\n");
}

/** One digit behind the point where it says something. */
const formatFigure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
