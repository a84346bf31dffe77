import type { ReactNode } from "react";

/** The drawings of the icons, on a grid of 16 by 16 units. They are drawn in the colour of the surrounding text. */
const drawings = {
  queued: <circle cx="8" cy="8" r="5.5" strokeDasharray="2.4 2.2" />,
  running: <path d="M8 2.5a5.5 5.5 0 1 1-5.5 5.5" />,
  check: <path d="m3.5 8.5 3 3 6-7" />,
  cross: <path d="m4.5 4.5 7 7m0-7-7 7" />,
  clock: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  pause: <path d="M6 4v8m4-8v8" />,
  play: <path d="M5.5 3.5v9l7-4.5z" />,
  menu: <path d="M2.5 4.5h11m-11 3.5h11m-11 3.5h11" />,
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
    </>
  ),
  chevron: <path d="m6 4 4 4-4 4" />,
  warning: <path d="M8 2.5 14 13H2zM8 6.5v3m0 1.8v.2" />,
  retry: <path d="M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3" />,
  trash: <path d="M3 4.5h10m-6.5-2h3M4.5 4.5l.6 9h5.8l.6-9" />,
  live: <path d="M1.5 8h3l2-5 3 10 2-5h3" />,
  list: <path d="M5.5 4h8m-8 4h8m-8 4h8M2.5 4h.01m-.01 4h.01m-.01 4h.01" />,
  person: (
    <>
      <circle cx="8" cy="5.5" r="2.5" />
      <path d="M3 13.5c.5-2.7 2.4-4 5-4s4.5 1.3 5 4" />
    </>
  ),
  robot: <path d="M3.5 6h9v6.5h-9zM8 6V3.5M6.200 9v.3M9.800 9v.3M1.700 8.500v2M14.300 8.500v2" />,
  calendar: <path d="M2.500 4h11v9.500h-11zM2.500 7h11M5.500 2.500V4m5-1.500V4M8 9v1.800l1.300.7" />,
  inbox: <path d="M2.5 9 4.5 3.5h7l2 5.5v3.5h-11zM2.5 9h3.2l.8 1.5h3l.8-1.5h3.2" />,
  box: <path d="M2.5 5 8 2.5 13.5 5v6L8 13.5 2.5 11zM2.5 5 8 7.5 13.5 5M8 7.5v6" />,
  flask: <path d="M6.5 2.5v4L3 13h10L9.5 6.5v-4m-4 0h5" />,
  queues: <path d="M2.5 4h7m-7 4h11m-11 4h4M12 3l1.500 1L12 5" />,
  database: <path d="M3 4c0-2 10-2 10 0v8c0 2-10 2-10 0zm0 0c0 2 10 2 10 0M3 8c0 2 10 2 10 0" />,
  braces: (
    <path d="M6 2.5c-2 0-2 1-2 2.5s-.3 2.5-1.5 3c1.2.5 1.5 1.5 1.5 3s0 2.5 2 2.5m4-11c2 0 2 1 2 2.5s.3 2.5 1.5 3c-1.2.5-1.5 1.5-1.5 3s0 2.5-2 2.5" />
  ),
  chat: <path d="M2.5 3.5h11v7.5H7.5l-3 2.5V11h-2z" />,
  send: <path d="M13.5 2.5 2.5 7l4.5 2 2 4.5zM7 9l6.5-6.5" />,
  stop: <rect x="4" y="4" width="8" height="8" rx="1" />,
  branch: (
    <path d="M4.5 4.5v7m0-3c4 0 6.5-1 6.5-4m-8-1.5a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0m0 10a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0m6.5-10a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0" />
  ),
  pencil: <path d="m10.5 3 2.5 2.5-7.5 7.5H3v-2.5zM9 4.5 11.5 7" />,
  keyboard: <path d="M2 4.5h12v7.5H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6" />,
  node: <rect x="3" y="4.5" width="10" height="7" rx="2" />,
  model: <path d="M8 2.5 9.5 6.5 13.5 8 9.5 9.5 8 13.5 6.5 9.5 2.5 8 6.5 6.5z" />,
  tool: <path d="M13 4.8 10.7 7 9 5.3l2.2-2.2a3.5 3.5 0 0 0-4.6 4.4l-3.8 3.8 1.9 1.9 3.8-3.8A3.5 3.5 0 0 0 13 4.8z" />,
  plus: <path d="M8 3.5v9M3.5 8h9" />,
  minus: <path d="M3.5 8h9" />,
  fit: <path d="M2.5 6V2.5H6m4 0h3.5V6m0 4v3.5H10m-4 0H2.5V10" />,
  fork: (
    <>
      <path d="M4.5 5.5v5m0-2.5h4a3 3 0 0 0 3-2.5" />
      <circle cx="4.5" cy="4" r="1.5" />
      <circle cx="4.5" cy="12" r="1.5" />
      <circle cx="11.5" cy="4" r="1.5" />
    </>
  ),
  handover: <path d="M2.5 5.5h10m-2.5-2.5 2.5 2.5-2.5 2.5M13.5 10.5h-10m2.5-2.5-2.5 2.5 2.5 2.5" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof drawings;

/** An icon. Screen readers skip it, because there is always a text beside it. */
export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={`size-4 shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {drawings[name]}
    </svg>
  );
}
