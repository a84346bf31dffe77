import { useSyncExternalStore } from "react";

const key = "ensemble.credential";
const listeners = new Set<() => void>();

interface State {
  credential: string | undefined;
  /** Why the login is shown. Undefined while the service accepts the requests. */
  refusal: string | undefined;
}

let state: State = { credential: sessionStorage.getItem(key) ?? undefined, refusal: undefined };

/** Returns the API key or token that the person has entered. It is forgotten when the tab closes. */
export const readCredential = (): string | undefined => state.credential;

/** Keeps a credential for this tab. */
export function keepCredential(credential: string): void {
  sessionStorage.setItem(key, credential);
  set({ credential, refusal: undefined });
}

/** Forgets the credential and shows the login, with a sentence that says why. */
export function forgetCredential(sentence = ""): void {
  sessionStorage.removeItem(key);
  set({ credential: undefined, refusal: sentence });
}

/** Returns the headers that carry a credential. The built-in auth reads both, and a project's own auth reads one of them. */
export const credentialHeaders = (credential = readCredential()): Record<string, string> =>
  credential === undefined ? {} : { "x-api-key": credential, authorization: `Bearer ${credential}` };

/** Returns the credential, and why the login must be shown. */
export const useCredential = (): State =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );

function set(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}
