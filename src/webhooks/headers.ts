import { validateHeaderName, validateHeaderValue } from "node:http";

/** Matches the names of headers that the delivery itself sets. They cannot be configured. */
const reserved = /^(host|content-type|content-length|transfer-encoding|connection|expect|upgrade|webhook-.*)$/i;
const template = /\$\{\{\s*env\.(\w+)\s*\}\}/g;

interface HeaderOptions {
  env_prefix?: string | undefined;
  headers?: Record<string, string> | undefined;
}

/**
 * Returns the headers from langgraph.json, in which each `${{ env.NAME }}` is replaced by the value of the environment variable. The
 * variable's name must begin with `env_prefix`, so that the file cannot send every secret of the process. Throws an error that names the
 * header if a header is invalid, so that the service does not start.
 */
export function resolveHeaders(
  { env_prefix: prefix = "LG_WEBHOOK_", headers = {} }: HeaderOptions,
  variable: (name: string) => string | undefined,
): Record<string, string> {
  const resolved = Object.entries(headers).map(([name, value]) => [name, fillIn(name, value, prefix, variable)] as const);
  for (const [name, value] of resolved) refuseHeader(name, value);
  return Object.fromEntries(resolved);
}

function fillIn(header: string, value: string, prefix: string, variable: (name: string) => string | undefined): string {
  return value.replace(template, (_, name: string) => {
    if (!name.startsWith(prefix))
      throw new Error(`webhooks.headers.${header}: ${name} does not begin with ${prefix} (webhooks.env_prefix).`);
    const given = variable(name);
    if (given === undefined) throw new Error(`webhooks.headers.${header}: the variable ${name} is not set.`);
    return given;
  });
}

function refuseHeader(name: string, value: string): void {
  if (reserved.test(name)) throw new Error(`webhooks.headers.${name}: this header is set by the delivery itself.`);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new Error(`webhooks.headers.${name}: this is not a header that HTTP can carry.`);
  }
}
