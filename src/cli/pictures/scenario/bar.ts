import { oneLine } from "../../terminal/clean.ts";
import type { Span } from "../../terminal/screen.ts";
import { seconds } from "../amounts.ts";

/** The progress of one scenario, from 0 to 100 %. */
export interface ScenarioProgress {
  name: string;
  percent: number;
  items: number;
  totalItems: number;
  elapsedMs: number;
  quality: number | null;
  status: string;
}

const width = 30;
const milestones = [30, 50, 70, 90];
const colors: Record<string, "green" | "red" | "yellow" | "cyan" | "dim"> = {
  complete: "green",
  failed: "red",
  paused: "yellow",
  running: "cyan",
  pending: "dim",
};

/** Returns one line for a scenario: its name, a bar with its milestones, and its figures. */
export function drawBar({ name, percent, items, totalItems, elapsedMs, quality, status }: ScenarioProgress): Span[] {
  const color = colors[status] ?? "dim";
  const reached = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * width);
  const cells = Array.from({ length: width }, (_, index) => cell(index, reached)).join("");
  const counts = `${Math.round(percent)} %`.padStart(6) + `${items}/${totalItems}`.padStart(11) + seconds(elapsedMs).padStart(9);
  const score = `  quality ${quality === null ? "   -" : quality.toFixed(2)}  `;
  return [
    `${oneLine(name).slice(0, 14).padEnd(14)} `,
    [color, cells.slice(0, reached)],
    ["dim", cells.slice(reached)],
    counts + score,
    [color, oneLine(status)],
  ];
}

function cell(index: number, reached: number): string {
  const isMilestone = milestones.some((milestone) => Math.round((milestone / 100) * width) - 1 === index);
  if (index < reached) return isMilestone ? "◆" : "━";
  return isMilestone ? "◇" : "─";
}
