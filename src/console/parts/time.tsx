import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times of a page. It ticks once a second, and only while a time is shown. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Returns the present time in steps of `stepMs`, and renders again at each step. */
export function useNow(stepMs = 1_000): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / stepMs) * stepMs);
}

const units: [limit: number, size: number, name: string][] = [
  [60, 1, "s"],
  [3_600, 60, "min"],
  [86_400, 3_600, "h"],
  [Number.POSITIVE_INFINITY, 86_400, "d"],
];

/** Returns a time relative to another one, such as "3 min ago" or "in 2 h". */
export function relative(time: number, to: number): string {
  const seconds = Math.round((to - time) / 1_000);
  const distance = Math.abs(seconds);
  if (distance < 2) return "now";
  const [, size, name] = units.find(([limit]) => distance < limit) ?? [0, 1, "s"];
  const amount = `${Math.floor(distance / size)} ${name}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export const exactTime = (time: string): string => exact.format(new Date(time));

/** A time relative to now. The exact time is shown on hover. */
export function RelativeTime({ time, className = "" }: { time: string; className?: string }) {
  const at = Date.parse(time);
  const present = useNow(Math.abs(Date.now() - at) < 120_000 ? 1_000 : 30_000);
  return (
    <time dateTime={time} title={exactTime(time)} className={`whitespace-nowrap ${className}`}>
      {relative(at, Math.max(present, at > Date.now() ? 0 : at))}
    </time>
  );
}

/** Returns a duration such as "85 ms", "4.2 s" or "3 min 5 s". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** The time since a moment, which grows while one looks at it. */
export function Elapsed({ since }: { since: string }) {
  return <span className="numbers text-sm whitespace-nowrap">{duration(Math.max(0, useNow() - Date.parse(since)))}</span>;
}
