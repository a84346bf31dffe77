import { useSyncExternalStore } from "react";

const key = "ensemble.credential";
const listeners = new Set<() => void>();

/** Whether the service has refused the credential, or asked for one. Then the login is shown. */
let refusal: string | undefined;

/** Returns the API key or token that the person has entered. It is forgotten when the tab closes. */
export const readCredential = (): string | undefined => sessionStorage.getItem(key) ?? undefined;

/** Keeps a credential for this tab. */
export function keepCredential(credential: string): void {
  sessionStorage.setItem(key, credential);
  setRefusal(undefined);
}

/** Forgets the credential and shows the login, with a sentence that says why. */
export function forgetCredential(sentence = ""): void {
  sessionStorage.removeItem(key);
  setRefusal(sentence);
}

/** Returns the headers that carry a credential. The built-in auth reads both, and a project's own auth reads one of them. */
export const credentialHeaders = (credential = readCredential()): Record<string, string> =>
  credential === undefined ? {} : { "x-api-key": credential, authorization: `Bearer ${credential}` };

/** Returns why the login must be shown. Undefined while the service accepts the requests. */
export const useRefusal = (): string | undefined =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => refusal,
  );

function setRefusal(sentence: string | undefined): void {
  refusal = sentence;
  for (const listener of listeners) listener();
}
