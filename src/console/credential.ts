import { useSyncExternalStore } from "react";

const key = "ensemble.credential";
const listeners = new Set<() => void>();

interface State {
  credential: string | undefined;
  /** The reason why the login is shown. Undefined as long as the service accepts the requests. */
  refusal: string | undefined;
}

let state: State = { credential: sessionStorage.getItem(key) ?? undefined, refusal: undefined };

/**
 * Returns the API key or token that the person has entered, or undefined if there is none. The browser forgets this credential when the tab
 * closes.
 */
export const readCredential = (): string | undefined => state.credential;

/** Stores the credential for this tab and hides the login. */
export function keepCredential(credential: string): void {
  sessionStorage.setItem(key, credential);
  set({ credential, refusal: undefined });
}

/** Deletes the credential and shows the login. `sentence` tells the person the reason. */
export function forgetCredential(sentence = ""): void {
  sessionStorage.removeItem(key);
  set({ credential: undefined, refusal: sentence });
}

/** Returns the headers that carry a credential. The built-in auth reads both headers, and a project's own auth may read either. */
export const credentialHeaders = (credential = readCredential()): Record<string, string> =>
  credential === undefined ? {} : { "x-api-key": credential, authorization: `Bearer ${credential}` };

/** Returns the credential, and the reason why the login is shown. */
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
