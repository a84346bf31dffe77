import { createContext, use } from "react";
import type { Schemas } from "./api.ts";

/** The settings that the service gives the console: its version, its features, and the ways in which callers authenticate. */
export type Settings = Schemas["ConsoleConfig"];

export const SettingsContext = createContext<Settings | undefined>(undefined);

export function useSettings(): Settings {
  const settings = use(SettingsContext);
  if (!settings) throw new Error("The settings are read before a page is shown.");
  return settings;
}

/** Tells whether the page may offer actions. In read-only mode, it offers none. */
export const useMayAct = (): boolean => useSettings().mode === "on";
