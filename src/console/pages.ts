import type { ComponentType, LazyExoticComponent } from "react";
import { lazily } from "./lazily.ts";
import { QuestionsBadge } from "./pages/inbox/badge.tsx";
import type { IconName } from "./parts/icons.tsx";

export interface PageEntry {
  /** The path below /console, as a pattern of the router wouter. */
  path: string;
  page: LazyExoticComponent<ComponentType>;
  /** The page's entry in the navigation. A page without an entry can be opened only by links. */
  menu?: { label: string; icon: IconName; Badge?: ComponentType };
  /**
   * The path of the navigation entry that is marked while this page is open. By default, an entry is marked if this page's path begins with
   * the entry's path.
   */
  under?: string;
}

/** All pages of the console. To add a page, add a file in `pages/` whose default export is a component, and a line in this list. */
export const pages: PageEntry[] = [
  { path: "/", page: lazily(() => import("./pages/live.tsx")), menu: { label: "Live", icon: "live" } },
  { path: "/runs", page: lazily(() => import("./pages/runs.tsx")), menu: { label: "Runs", icon: "list" } },
  { path: "/threads", page: lazily(() => import("./pages/threads.tsx")), menu: { label: "Threads", icon: "chat" } },
  { path: "/threads/:thread", page: lazily(() => import("./pages/thread.tsx")) },
  { path: "/threads/:threadId/runs/:runId", page: lazily(() => import("./pages/run.tsx")), under: "/runs" },
  { path: "/inbox", page: lazily(() => import("./pages/inbox.tsx")), menu: { label: "Inbox", icon: "inbox", Badge: QuestionsBadge } },
  { path: "/playground", page: lazily(() => import("./pages/playground.tsx")), menu: { label: "Playground", icon: "flask" } },
  { path: "/assistants", page: lazily(() => import("./pages/assistants.tsx")), menu: { label: "Assistants", icon: "robot" } },
  { path: "/assistants/new", page: lazily(() => import("./pages/assistant-form.tsx")) },
  { path: "/assistants/:id/edit", page: lazily(() => import("./pages/assistant-form.tsx")) },
  { path: "/assistants/:id", page: lazily(() => import("./pages/assistant.tsx")) },
  { path: "/store", page: lazily(() => import("./pages/store.tsx")), menu: { label: "Store", icon: "database" } },
  { path: "/queues", page: lazily(() => import("./pages/queues.tsx")), menu: { label: "Queues", icon: "queues" } },
  { path: "/schedule", page: lazily(() => import("./pages/schedule.tsx")), menu: { label: "Crons and webhooks", icon: "calendar" } },
  { path: "/schedule/new", page: lazily(() => import("./pages/cron-form.tsx")) },
  { path: "/schedule/:id/edit", page: lazily(() => import("./pages/cron-form.tsx")) },
];
