import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

/** The paths of the API that the pages call. `npm run dev:console` passes them on to a running service. */
const api = "^/(?!console/(?!config\\.json))";

export default defineConfig(({ mode, command }) => ({
  plugins: [react(), tailwind()],
  // The service may have a path prefix, which is not known here. So files name each other relatively, and the service completes the page.
  base: command === "build" ? "./" : "/console/",
  build: {
    outDir: "../../dist/console",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: scripts and fonts
    chunkSizeWarningLimit: 600,
  },
  server: { host: "127.0.0.1", proxy: { [api]: loadEnv(mode, process.cwd(), "ENSEMBLE_").ENSEMBLE_URL || "http://127.0.0.1:2024" } },
}));
