import { setNonce } from "get-nonce";

const meta = (selector: string) => document.querySelector<HTMLMetaElement>(selector);

/** The path prefix of the API. The service writes it into the page. Vite's own server leaves the placeholder. */
export const prefix = (meta('meta[name="ensemble-prefix"]')?.content ?? "").replace("%PREFIX%", "");

/** The path of the console, under which all its pages are. */
export const consolePath = `${prefix}/console`;

/** The nonce of this page. A style element is accepted only with it: give it to parts that add one, such as CodeMirror. */
export const styleNonce = meta('meta[property="csp-nonce"]')?.nonce ?? "";

setNonce(styleNonce); // Radix adds its styles through this package
