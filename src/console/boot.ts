import { setNonce } from "get-nonce";

const meta = (selector: string) => document.querySelector<HTMLMetaElement>(selector);

/**
 * The path prefix of the API, which the service writes into the page. Vite's development server leaves the placeholder in the page. The
 * placeholder counts as no prefix.
 */
export const prefix = (meta('meta[name="ensemble-prefix"]')?.content ?? "").replace("%PREFIX%", "");

/** The path of the console. The paths of all its pages begin with this path. */
export const consolePath = `${prefix}/console`;

/**
 * The nonce of this page. The browser accepts a style element only with this nonce, so pass it to libraries that add style elements, such
 * as CodeMirror.
 */
export const styleNonce = meta('meta[property="csp-nonce"]')?.nonce ?? "";

setNonce(styleNonce); // Radix reads the nonce for its style elements from the package `get-nonce`
