import { ServiceError } from "../../errors.ts";
import { type Issue, mostIssues } from "../../registry/validate.ts";

/**
 * Returns an issue's message. For a union of schemas, lists the problems of each alternative, because zod's own message only says that none
 * matches.
 */
export function explain(message: string | undefined, { errors }: { errors?: Issue[][] | undefined }): string {
  const missed =
    errors
      ?.flat()
      .slice(0, mostIssues)
      .map((issue) => [writePath(issue.path), explain(issue.message, issue)].filter(Boolean).join(": ")) ?? [];
  return missed.length > 0 ? [...new Set(missed)].join("; or: ") : (message ?? "is not what is expected here");
}

/** Throws one error for all issues, which names each field and its problem. Does nothing if there are no issues. */
export function refuseIssues(issues: Issue[]): void {
  if (issues.length === 0) return;
  const errors = issues.slice(0, mostIssues).map((issue) => ({ field: writePath(issue.path), message: explain(issue.message, issue) }));
  throw new ServiceError("invalid", errors.map(({ field, message }) => `${field}: ${message}`).join("; "), errors);
}

/** Returns a path as text, such as `context.roster[1].name`. */
function writePath(path: PropertyKey[]): string {
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`)).join("");
}
