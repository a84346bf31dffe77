import { useMemo, useState } from "react";
import { useDraft } from "../../../parts/draft.ts";
import { initialValue, isObject, type JsonSchema } from "../../../parts/json-schema.ts";
import { type SchemaFormState, useSchemaForm } from "../../../parts/use-schema-form.ts";
import type { RunRequest } from "../request.ts";
import { Refused } from "../run/run-stream.ts";
import { type Assistant, isGraph } from "../targets.ts";
import { changesOf, contextShape, exampleOf, pointerOf, shapeOf, withoutDefaults } from "./shape.ts";

export interface Composer {
  kind: "messages" | "fields";
  input: SchemaFormState;
  /** The state of the form for the context. Undefined if the graph has no context. */
  context: SchemaFormState | undefined;
  /** The number of context fields whose values differ from the assistant's context. */
  changes: number;
  /** The field for the limit of the run's steps: the typed text, a function that changes it, and the problem with it. */
  limit: { text: string; set: (text: string) => void; problem: string | undefined };
  /** Returns the request in its current state, valid or not. */
  request: (threadId: string | undefined) => RunRequest;
  /** Returns the request if the form is valid. Otherwise shows the problems and returns undefined. */
  submit: (threadId: string | undefined) => RunRequest | undefined;
}

const anyText: JsonSchema = { type: "string" };
const noContext: JsonSchema = { type: "object", properties: {} };

/** The schemas of a graph, as the service returns them. They are empty for a graph without types. */
export interface GraphSchemas {
  input_schema?: unknown;
  context_schema?: unknown;
}

const overlaid = (below: unknown, above: unknown) => (isObject(below) && isObject(above) ? { ...below, ...above } : (above ?? below));

/**
 * Holds the state of an assistant's two forms: the form for a run's input and the form for its context. `failure` is the error of the last
 * request.
 */
export function useComposer(target: Assistant, schemas: GraphSchemas, failure: unknown): Composer {
  const { input_schema: inputSchema, context_schema: contextSchema } = schemas;
  const shape = useMemo(() => shapeOf(inputSchema), [inputSchema]);
  const schema = shape.kind === "fields" ? shape.schema : anyText;
  const contextFields = useMemo(() => contextShape(contextSchema), [contextSchema]);
  const initial = useMemo(() => initialInput(schema, target, inputSchema), [schema, target, inputSchema]);
  const initialContext = useMemo(
    () => overlaid(initialValue(contextFields ?? noContext, contextFields ?? noContext), target.context),
    [contextFields, target.context],
  );
  const name = target.assistant_id;
  const input = useRefusals(useSchemaForm({ schema, initial, draft: `${name} input` }), "input", failure);
  const options = { schema: contextFields ?? noContext, initial: initialContext, draft: `${name} context` };
  const context = useRefusals(useSchemaForm(options), "context", failure);
  const limit = useLimit(name);
  const changed = changesOf(enteredIn(context), initialContext);
  const request = (threadId: string | undefined): RunRequest => ({
    assistantId: name,
    called: isGraph(target) ? target.graph_id : name,
    threadId,
    input: inputOf(shape.kind, input),
    context: changed,
    recursionLimit: limit.value,
  });
  return {
    kind: shape.kind,
    input,
    context: contextFields ? context : undefined,
    changes: Object.keys(changed).length,
    limit,
    request,
    submit(threadId) {
      const isValid = [input, ...(contextFields ? [context] : [])].map((form) => form.submit() !== undefined);
      return isValid.every(Boolean) && !limit.problem ? request(threadId) : undefined;
    },
  };
}

function useLimit(name: string) {
  const [text, set] = useDraft(`${name} limit`, () => "");
  const value = text.trim() === "" ? undefined : Number(text);
  const problem = value !== undefined && !(Number.isInteger(value) && value > 0) ? "Enter a whole number of steps." : undefined;
  return { text, set, value: problem ? undefined : value, problem };
}

function initialInput(schema: JsonSchema, { metadata }: Assistant, given: unknown): unknown {
  const example = exampleOf(metadata, given);
  if (schema === anyText) return undefined;
  return overlaid(initialValue(schema, schema) ?? {}, example);
}

/** Returns the entered value, from the form or from its JSON text. Returns undefined if the text is not valid JSON. */
function enteredIn({ text, value }: SchemaFormState): unknown {
  if (text === undefined) return value;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inputOf(kind: Composer["kind"], form: SchemaFormState): unknown {
  if (kind === "messages") return { messages: [{ role: "user", content: form.value ?? "" }] };
  return form.text === undefined ? withoutDefaults(form.value, form.schema) : enteredIn(form);
}

/**
 * Returns the form's state with the problems that the service has found in the last request, in addition to those that the form has found.
 * When the form changes, the service's problems are dropped.
 */
function useRefusals(form: SchemaFormState, part: "input" | "context", failure: unknown): SchemaFormState {
  const entered = form.text ?? form.value;
  const [seen, see] = useState({ failure, entered });
  if (seen.failure !== failure) see({ failure, entered });
  const isCurrent = seen.failure === failure && seen.entered === entered;
  const refused = failure instanceof Refused && isCurrent ? failure.fields : [];
  const own = refused.filter(({ field }) => field === part || field.startsWith(`${part}.`) || field.startsWith(`${part}[`));
  if (own.length === 0) return form;
  const found = new Map(own.map(({ field, message }) => [pointerOf(field, part), message]));
  const problems = new Map([...form.problems, ...found]);
  const isShown = (path: string) => found.has(path) || (path === "" && form.text !== undefined) || form.isShown(path);
  // The service's problems do not prevent a new request, because the service validates each request again.
  return { ...form, problems, isShown };
}
