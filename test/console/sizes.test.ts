import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../src/console", import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), "ensemble-console-"));
/** The most script that the first page may need, compressed, in bytes. */
const mostBytes = 150_000;

interface Chunk {
  file: string;
  imports?: string[];
  isEntry?: boolean;
}
let manifest: Record<string, Chunk> = {};

// In a process of its own, because with NODE_ENV=test it would contain React's checks for developers.
beforeAll(() => {
  const vite = [fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url)), "build", root];
  execFileSync(process.execPath, [...vite, "--config", join(root, "vite.config.ts"), "--outDir", outDir, "--logLevel", "error"], {
    env: { ...process.env, NODE_ENV: "production" },
  });
  manifest = JSON.parse(readFileSync(join(outDir, "manifest.json"), "utf8"));
});
afterAll(() => rmSync(outDir, { recursive: true }));

/** Returns the files that a chunk loads at once. Chunks that it loads when it needs them are not among them. */
function filesOf(name: string, known = new Set<string>()): Set<string> {
  const { file = "", imports = [] } = manifest[name] ?? {};
  if (known.has(file)) return known;
  known.add(file);
  for (const imported of imports) filesOf(imported, known);
  return known;
}

const bytesOf = (files: Set<string>) => [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(outDir, file))).length, 0);

test(`the first page needs at most ${mostBytes / 1_000} kB of script`, () => {
  const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry) ?? "";
  const files = new Set([...filesOf(entry), ...filesOf("pages/live.tsx")]);
  expect(files.size).toBeGreaterThan(1);
  expect(bytesOf(files)).toBeLessThan(mostBytes);
});

test("charts and the editor load when a page needs them", () => {
  const atOnce = [...filesOf("index.html"), ...filesOf("pages/live.tsx"), ...filesOf("pages/runs.tsx")].join();
  for (const part of ["uplot", "code-mirror", "reactflow"]) expect(atOnce).not.toContain(part);
});

test("the page has no script or style of its own, and names no other host", () => {
  const page = readFileSync(join(outDir, "index.html"), "utf8");
  expect(page).not.toMatch(/<style|<script(?![^>]*src=)|\son\w+=|https?:/);
});

test("no part of the console writes HTML", () => {
  const sources = globSync("**/*.{ts,tsx}", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
  expect(sources.join("\n")).not.toMatch(/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write|new Function|eval\(/);
});
