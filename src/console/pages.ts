import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { QuestionsBadge } from "./pages/inbox/badge.tsx";
import type { IconName } from "./parts/icons.tsx";

export interface PageEntry {
  /** The path below /console, as wouter matches it. */
  path: string;
  page: LazyExoticComponent<ComponentType>;
  /** The entry in the navigation. A page without one is reached by links. */
  menu?: { label: string; icon: IconName; Badge?: ComponentType };
}

/** Every page of the console. A page is a file in `pages/` whose default export is a component, and a line here. */
export const pages: PageEntry[] = [
  { path: "/", page: lazy(() => import("./pages/live.tsx")), menu: { label: "Live", icon: "live" } },
  { path: "/runs", page: lazy(() => import("./pages/runs.tsx")), menu: { label: "Runs", icon: "list" } },
  { path: "/threads", page: lazy(() => import("./pages/threads.tsx")), menu: { label: "Threads", icon: "chat" } },
  { path: "/threads/:thread", page: lazy(() => import("./pages/thread.tsx")) },
  { path: "/inbox", page: lazy(() => import("./pages/inbox.tsx")), menu: { label: "Inbox", icon: "inbox", Badge: QuestionsBadge } },
];
