import { SealingError } from "../db/sealable.ts";
import type { Db } from "../db/sql.ts";
import { type Page, readEvents } from "./log.ts";
import type { RunWindow } from "./run-window.ts";

/**
 * Reads new events from the log into the `RunWindow` of each followed run. Runs one statement at a time, which reads for all windows that
 * wait for new events.
 */
export interface LogReader {
  /**
   * Reads the events that follow the last one in the window. Does nothing if the run has ended, or if the id of the newest event in the log
   * is still unknown.
   */
  read(window: RunWindow): void;
  /** Resolves when no read is in progress. */
  idle(): Promise<void>;
}

export function createLogReader(db: Db, onError: (error: Error) => void): LogReader {
  const unread = new Set<RunWindow>();
  let reading: Promise<void> | undefined;

  async function readUnread(): Promise<void> {
    while (unread.size > 0) {
      const batch = [...unread];
      unread.clear();
      const pages = await readApart(batch).catch(onError);
      if (!pages) break; // the next poll tries again
      for (const window of batch) if (takePage(window, pages.get(window.runId)) === "more") unread.add(window);
    }
    reading = undefined;
  }

  /**
   * Reads the next events of these windows. If the statement fails because an event cannot be decrypted, splits the batch into halves and
   * reads each half. In the end, only the run with that event gets no events, and the next poll tries this run again.
   */
  async function readApart(batch: RunWindow[]): Promise<Map<string, Page>> {
    const cursors = batch.map(({ runId, tail = -1 }) => ({ runId, after: tail }));
    try {
      return await readEvents(db, cursors);
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        return new Map([...(await readApart(batch.slice(0, half))), ...(await readApart(batch.slice(half)))]);
      }
      onError(error);
      return new Map();
    }
  }

  return {
    read(window) {
      if (window.uncreated) window.notified = true;
      if (window.tail === undefined || window.over || window.uncreated) return;
      unread.add(window);
      reading ??= readUnread();
    },
    idle: async () => reading,
  };
}

/** Adds a page of events to the window of a run. Returns "more" if the log may have further events. */
function takePage(window: RunWindow, page: Page | undefined): "more" | undefined {
  if (!page) return undefined;
  window.take(page.events);
  if (page.more) return "more";
  if (page.over) window.end();
  return undefined;
}
