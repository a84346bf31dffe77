import { ServiceError } from "../errors.ts";

type Document = Record<string, unknown>;
type Step = { name: string } | { at: number } | "each";

const mostTexts = 100;

/**
 * Returns the texts in these fields of a value, in the order of the fields. A field is a path such as `$` (the whole value), `title`,
 * `meta.title`, `parts[*].text` or `parts[-1]`.
 */
export function textsOf(value: Document, fields: string[]): string[] {
  const texts = fields.flatMap((field) => findTexts(value, field)).filter((text) => text.trim() !== "");
  if (texts.length <= mostTexts) return texts;
  throw refusal(`The fields to embed are ${texts.length} texts in this item; ${mostTexts} are the most.`);
}

function findTexts(value: Document, field: string): string[] {
  const found = parseField(field).reduce(follow, [value]);
  return found.flatMap((one) => (one === null || one === undefined ? [] : typeof one === "object" ? JSON.stringify(one) : String(one)));
}

/** Returns the steps of a path to a field. Throws if the path is malformed, because a malformed path would silently match nothing. */
export function parseField(field: string): Step[] {
  const rest = field.replace(/^\$\.?/, "");
  const tokens = [...rest.matchAll(/(?:^|\.)([^.[\]{}]+)|\[(\*|-?\d{1,9})\]/g)];
  if (field === "" || tokens.map(([token]) => token).join("") !== rest) {
    throw refusal(`"${field}" is no field to embed; it should be like "$", "title", "meta.title", "parts[*].text" or "parts[0]".`);
  }
  return tokens.map(([, name, at]) => (name === "*" || at === "*" ? "each" : name === undefined ? { at: Number(at) } : { name }));
}

function follow(found: unknown[], step: Step): unknown[] {
  return found.flatMap((one) => {
    if (typeof one !== "object" || one === null) return [];
    if (step === "each") return Object.values(one);
    if ("at" in step) return Array.isArray(one) ? [one.at(step.at)] : [];
    return Object.entries(one).flatMap(([name, inner]) => (name === step.name ? [inner] : [])); // reads only the object's own fields, not inherited ones
  });
}

const refusal = (sentence: string) => new ServiceError("invalid", sentence);
