import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the Chromium of this machine, without a window. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = [process.env.CHROMIUM_PATH ?? "", ...known].find((path) => existsSync(path));
  if (!executablePath) throw new Error("This needs a Chromium: apt-get install chromium, or set CHROMIUM_PATH to one.");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
