import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

/** Matches the API paths that the pages call. `npm run dev:console` forwards these requests to a running service. */
const api = "^/(?!console/(?!config\\.json))";

export default defineConfig(({ mode, command }) => ({
  plugins: [react(), tailwind()],
  // The service may have a path prefix that is unknown at build time. Files therefore refer to each other by relative paths, and the
  // service adds the prefix to the paths in the HTML page.
  base: command === "build" ? "./" : "/console/",
  build: {
    outDir: "../../dist/console",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // inlined files would be data: URLs, which the Content-Security-Policy forbids
    chunkSizeWarningLimit: 600,
  },
  server: { host: "127.0.0.1", proxy: { [api]: loadEnv(mode, process.cwd(), "ENSEMBLE_").ENSEMBLE_URL || "http://127.0.0.1:2024" } },
}));
