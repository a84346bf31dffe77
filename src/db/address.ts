import { isDatabaseTrouble } from "./failure.ts";
import { SealingError } from "./sealable.ts";

/**
 * Returns the URL if pg can use it. Otherwise, throws an error that names the variable but not the URL, because the URL contains a
 * password.
 */
export function checkDatabaseUrl(variable: string, url: string): string {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Error(`${variable} is not a Postgres URL; it should be like postgresql://user:password@host:5432/database.`);
}

/**
 * Returns an error handler for the first statement that this process sends to a database. The handler throws an error with the likely
 * cause, for example that the server refused the password.
 */
export function explainDatabase(url: string) {
  return (error: Error): never => {
    if (error instanceof SealingError) throw error; // the database can be reached, so its address is not the cause
    const { host, pathname, searchParams } = new URL(url);
    const server = host || searchParams.get("host") || "localhost";
    const database = decodeURIComponent(pathname.slice(1));
    const code = "code" in error ? String(error.code) : "";
    if (code.startsWith("28")) throw new Error(`The database at ${server} refused the user or the password: ${error.message}.`);
    if (code === "3D000") throw new Error(`The server at ${server} has no database "${database}". Create it first.`);
    if (code === "42501") throw new Error(`The user may not change the schema of database "${database}" at ${server}: ${error.message}.`);
    if (isDatabaseTrouble(error)) throw new Error(`The database at ${server} does not answer: ${error.message || code}.`);
    throw error;
  };
}
