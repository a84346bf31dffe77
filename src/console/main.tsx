import "./theme.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { consolePath } from "./boot.ts";
import { useCredential } from "./credential.ts";
import { queries } from "./live.ts";
import { Failure, Skeleton } from "./parts/states.tsx";
import { type Settings, SettingsContext } from "./settings.ts";
import { Login } from "./shell/login.tsx";
import { PageGuard, Shell } from "./shell/shell.tsx";

async function readSettings(): Promise<Settings> {
  const response = await fetch(`${consolePath}/config.json`, { cache: "no-store" });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Settings;
}

/** Reads the settings of the console, then shows the login or the pages. */
function Console() {
  const [settings, setSettings] = useState<Settings>();
  const [error, setError] = useState<unknown>();
  const { credential, refusal } = useCredential();
  const load = () => {
    setError(undefined);
    readSettings().then(setSettings, setError);
  };
  useEffect(load, []);
  if (error) return <Failure what="The console could not start" error={error} retry={load} />;
  if (!settings) return <Skeleton lines={6} className="p-6" />;
  const mustAsk = refusal !== undefined || (needsCredential(settings) && credential === undefined);
  return <SettingsContext value={settings}>{mustAsk ? <Login sentence={refusal ?? ""} /> : <Shell />}</SettingsContext>;
}

/**
 * Tells whether the console must ask for a credential before its first request. With a project's own auth, the console first tries without
 * a credential, because such auth may accept cookies.
 */
const needsCredential = ({ auth }: Settings) => auth.length > 0 && !auth.includes("custom");

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <PageGuard>
        <QueryClientProvider client={queries}>
          <Router base={consolePath}>
            <Console />
          </Router>
        </QueryClientProvider>
      </PageGuard>
    </StrictMode>,
  );
