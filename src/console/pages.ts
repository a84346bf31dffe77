import type { ComponentType, LazyExoticComponent } from "react";
import { lazily } from "./lazily.ts";
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
  { path: "/", page: lazily(() => import("./pages/live.tsx")), menu: { label: "Live", icon: "live" } },
  { path: "/runs", page: lazily(() => import("./pages/runs.tsx")), menu: { label: "Runs", icon: "list" } },
  { path: "/inbox", page: lazily(() => import("./pages/inbox.tsx")), menu: { label: "Inbox", icon: "inbox", Badge: QuestionsBadge } },
  { path: "/playground", page: lazily(() => import("./pages/playground.tsx")), menu: { label: "Playground", icon: "flask" } },
];
