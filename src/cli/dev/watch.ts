import { existsSync, type FSWatcher, statSync, watch } from "node:fs";
import { dirname, extname, join } from "node:path";

export interface Watcher {
  /** Watches these files. */
  addFiles(files: string[]): void;
  /** Watches a file, or all files in a folder but not in its subfolders. */
  add(path: string): void;
  /**
   * Turns the watching of neighbours on or off. A neighbour is a source file in the folder of a watched file. For example, a new file may
   * be the one that a failed import needs.
   */
  watchNeighbours(on: boolean): void;
  stop(): void;
}

/** Editors write a file in several steps, and tools write several files. Changes within this time are reported together. */
const settleMs = 100;
const sources = new Set([".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".json", ".yaml", ".yml", ".md"]);

/**
 * Calls `onChange` with the paths of watched files that have changed. `at` is the time of the last change, as `performance.now()` counts
 * it.
 */
export function startWatcher(onChange: (files: string[], at: number) => void, onError: (error: Error) => void): Watcher {
  const files = new Set<string>();
  const wholeFolders = new Set<string>();
  let neighbours = false;
  const collector = collect(onChange);
  const folders = watchFolders((folder, name) => {
    const isNeighbour = neighbours && (sources.has(extname(name)) || name.startsWith(".env"));
    if (files.has(join(folder, name)) || wholeFolders.has(folder) || isNeighbour) collector.add(join(folder, name));
  }, onError);

  function addFiles(added: string[]): void {
    for (const file of added) files.add(file);
    for (const folder of new Set(added.map((file) => dirname(file)))) folders.add(folder);
  }

  return {
    addFiles,
    add(path) {
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return addFiles([path]);
      wholeFolders.add(path);
      folders.add(path);
    },
    watchNeighbours(on) {
      neighbours = on;
    },
    stop() {
      collector.stop();
      folders.stop();
    },
  };
}

/**
 * Calls `onEvent` for each file that appears, changes or vanishes in one of the added folders. Folders are watched rather than files,
 * because many editors replace a file, and a watcher of the old file would then see nothing.
 */
function watchFolders(onEvent: (folder: string, name: string) => void, onError: (error: Error) => void) {
  const watchers = new Map<string, FSWatcher>();
  function forget(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }
  return {
    add(folder: string): void {
      if (watchers.has(folder) || !existsSync(folder)) return;
      try {
        const watcher = watch(folder, (_event, name) => {
          if (!existsSync(folder)) forget(folder);
          else if (name !== null) onEvent(folder, name);
        });
        watcher.on("error", () => forget(folder));
        watchers.set(folder, watcher);
      } catch (error) {
        onError(error as Error); // for example, the system allows no more watchers
      }
    },
    stop(): void {
      for (const folder of [...watchers.keys()]) forget(folder);
    },
  };
}

/** Collects changes, and reports them together when there was no further change for a moment. */
function collect(onChange: (files: string[], at: number) => void) {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  return {
    add(file: string): void {
      changed.add(file);
      const at = performance.now();
      clearTimeout(timer);
      timer = setTimeout(() => {
        onChange([...changed], at);
        changed.clear();
      }, settleMs);
    },
    stop: () => clearTimeout(timer),
  };
}
