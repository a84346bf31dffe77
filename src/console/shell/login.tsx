import { type FormEvent, useState } from "react";
import { prefix } from "../boot.ts";
import { credentialHeaders, keepCredential } from "../credential.ts";
import { queries } from "../live.ts";
import { buttonLook } from "../parts/button.tsx";
import { Input } from "../parts/field.tsx";
import { Icon } from "../parts/icons.tsx";
import { type Settings, useSettings } from "../settings.ts";

const labels: Record<Settings["auth"][number], string> = { "api-key": "API key", token: "token", custom: "API key or token" };

/**
 * Asks for an API key or a token, checks this credential with the service, and stores it for this tab. `sentence` tells the person why the
 * login is shown.
 */
export function Login({ sentence }: { sentence: string }) {
  const { auth } = useSettings();
  const label = [...new Set(auth.map((kind) => labels[kind]))].join(" or ") || "API key";
  const [credential, setCredential] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const refusal = await refusalOf(credential.trim());
    setBusy(false);
    setProblem(refusal);
    if (refusal !== undefined) return;
    queries.clear();
    keepCredential(credential.trim());
  };
  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <form onSubmit={(event) => void submit(event)} className="w-full max-w-sm rounded-lg border border-line bg-surface p-6">
        <h1 className="text-xl font-semibold">Sign in to Ensemble</h1>
        <p className="mt-1 mb-4 text-muted">{sentence || "This service asks who you are. You see what the API shows you."}</p>
        <Input
          label={capitalised(label)}
          type="password"
          name="credential"
          value={credential}
          error={problem}
          hint="It is kept in this tab only, until you close it."
          autoFocus
          onChange={(event) => setCredential(event.target.value)}
        />
        <button type="submit" disabled={isBusy || credential.trim() === ""} className={`${buttonLook("primary")} mt-4 w-full`}>
          Sign in
        </button>
        {auth.includes("api-key") && (
          <p className="mt-4 flex gap-2 text-xs text-muted">
            <Icon name="person" className="size-3.5" />
            <span>
              No key yet? The operator makes one with <code className="font-mono">ensemble key &lt;name&gt;</code>.
            </span>
          </p>
        )}
      </form>
    </main>
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Checks a credential with a request that every signed-in caller may send. Returns the reason if the service refuses the credential, and
 * otherwise undefined.
 */
async function refusalOf(credential: string): Promise<string | undefined> {
  if (!/^[\x21-\x7e]+$/.test(credential)) return "A key or token has no spaces and no special letters.";
  const response = await fetch(`${prefix}/ok`, { headers: credentialHeaders(credential) }).catch(() => undefined);
  if (!response) return "The service does not answer. Try again.";
  return response.ok ? undefined : (await response.text()) || `The service answered with status ${response.status}.`;
}
