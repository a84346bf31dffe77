import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/**
 * Subscribes a component to the clock that all times on the page share. The clock ticks once a second, and only while there are
 * subscribers.
 */
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

/** Returns the current time in Unix milliseconds, rounded down to a multiple of `stepMs`. The component is rendered again at each step. */
export function useNow(stepMs = 1_000): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / stepMs) * stepMs);
}

const units: [limit: number, size: number, name: string][] = [
  [60, 1, "s"],
  [3_600, 60, "min"],
  [86_400, 3_600, "h"],
  [Number.POSITIVE_INFINITY, 86_400, "d"],
];

/** Returns a time relative to the time `to`, such as "3 min ago" or "in 2 h". Both are in Unix milliseconds. */
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

/** A time relative to now, such as "3 min ago". The exact time is shown on hover. */
export function RelativeTime({ time, className = "" }: { time: string; className?: string }) {
  const at = Date.parse(time);
  const present = useNow(Math.abs(Date.now() - at) < 120_000 ? 1_000 : 30_000);
  return (
    <time dateTime={time} title={exactTime(time)} className={`whitespace-nowrap ${className}`}>
      {relative(at, Math.max(present, at > Date.now() ? 0 : at))}
    </time>
  );
}

/** Returns a duration in milliseconds as text, such as "85 ms", "4.2 s" or "3 min 5 s". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** The duration since a time, updated every second. */
export function Elapsed({ since }: { since: string }) {
  return <span className="numbers text-sm whitespace-nowrap">{duration(Math.max(0, useNow() - Date.parse(since)))}</span>;
}
