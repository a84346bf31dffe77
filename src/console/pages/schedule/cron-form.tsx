import type { FormEvent } from "react";
import { Link } from "wouter";
import { buttonLook } from "../../parts/button.tsx";
import { Select } from "../../parts/field.tsx";
import { useFirstProblem } from "../../parts/first-problem.ts";
import { JsonField, problemOf } from "../../parts/json-field.tsx";
import { Refusal, refusalOf } from "../../parts/refusal.tsx";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { type SchemaFormState, useSchemaForm } from "../../parts/use-schema-form.ts";
import { type GraphSchemas, useGraphSchemas } from "../assistants/reads.ts";
import { bodyOf, type CronDraft, useCronDraft } from "./draft.ts";
import type { Cron, NamedAssistant } from "./reads.ts";
import { useSaveCron } from "./save.ts";
import { WhenFields } from "./when-fields.tsx";

interface Props {
  assistants: NamedAssistant[];
  assistantId: string;
  /** Called when the person chooses an assistant. Not needed for an existing cron, because its assistant cannot change. */
  onAssistant?: (assistantId: string) => void;
  cron?: Cron;
  onDone: () => void;
}

/** The fields of a cron. The schemas of the graph determine the fields of the input and the context. */
export function CronForm({ assistants, assistantId, onAssistant, cron, onDone }: Props) {
  const schemas = useGraphSchemas(assistantId);
  const draft = useCronDraft(cron);
  const known = assistants.some(({ assistant_id }) => assistant_id === assistantId);
  const assistant = (
    <Select
      label="Assistant"
      value={assistantId}
      disabled={!onAssistant}
      hint={onAssistant ? undefined : "The assistant of a cron cannot change."}
      options={[
        ...assistants.map(({ assistant_id, name }) => ({ value: assistant_id, label: name })),
        ...(known ? [] : [{ value: assistantId, label: assistantId }]),
      ]}
      onChange={(id) => onAssistant?.(id)}
    />
  );
  if (schemas.data && !schemas.isPlaceholderData)
    return <Loaded key={assistantId} {...{ assistant, assistantId, cron, draft, onDone }} schemas={schemas.data} />;
  return (
    <div className="max-w-2xl space-y-5 p-4 lg:p-6">
      {assistant}
      {schemas.error ? (
        <Failure what="The schemas of the graph could not be loaded" error={schemas.error} retry={() => void schemas.refetch()} />
      ) : (
        <Skeleton lines={6} />
      )}
    </div>
  );
}

interface LoadedProps {
  assistant: React.ReactNode;
  assistantId: string;
  cron: Cron | undefined;
  draft: CronDraft;
  schemas: GraphSchemas;
  onDone: () => void;
}

function Loaded({ assistant, assistantId, cron, draft, schemas, onDone }: LoadedProps) {
  const input = useSchemaForm({ schema: schemas.input_schema, initial: cron?.payload.input ?? undefined });
  const context = useSchemaForm({
    schema: { ...schemas.context_schema, required: [] }, // nothing is required, because the assistant can supply the missing fields
    initial: cron ? (cron.payload.context ?? {}) : {},
  });
  const save = useSaveCron(cron, onDone);
  const form = useFirstProblem(save.error ?? draft.tries);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    draft.addTry();
    const [given, around] = [input.submit(), context.submit()];
    const body = bodyOf(draft, cron);
    if (given && around && body) save.mutate({ assistantId, threadId: draft.threadId, body: { ...body, ...valuesOf(given, around) } });
  };
  const hasRefusedField = ["schedule", "timezone"].some((field) => refusalOf(save.error, field) !== undefined);
  return (
    <form ref={form} onSubmit={submit} noValidate className="max-w-2xl space-y-5 p-4 lg:p-6">
      {assistant}
      <WhenFields draft={draft} cron={cron} error={save.error} />
      <Values input={input} context={context} draft={draft} />
      {!hasRefusedField && <Refusal error={save.error} />}
      <div className="flex gap-2">
        <button type="submit" disabled={save.isPending} className={buttonLook("primary")}>
          {cron ? "Save cron" : "Create cron"}
        </button>
        <Link href="/schedule" className={buttonLook("quiet")}>
          Cancel
        </Link>
      </div>
    </form>
  );
}

interface Entered {
  value: unknown;
}

const valuesOf = (input: Entered, context: Entered) => ({
  input: input.value ?? null,
  context: isEmpty(context.value) ? null : (context.value as Record<string, unknown>),
});

const isEmpty = (value: unknown) => typeof value !== "object" || value === null || Object.keys(value).length === 0;

function Values({ input, context, draft }: { input: SchemaFormState; context: SchemaFormState; draft: CronDraft }) {
  const problem = (parsed: CronDraft["config"]) => (draft.tries > 0 ? problemOf(parsed) : undefined);
  return (
    <>
      <SchemaForm form={input} label="Input" />
      <SchemaForm form={context} label="Context" />
      <JsonField
        label="Config"
        text={draft.configText}
        error={problem(draft.config)}
        hint="Settings for each run, such as recursion_limit, tags and configurable."
        onChange={(configText) => draft.set({ configText })}
      />
      <JsonField
        label="Metadata"
        text={draft.metadataText}
        error={problem(draft.metadata)}
        hint="The cron has it, and each of its runs."
        onChange={(metadataText) => draft.set({ metadataText })}
      />
    </>
  );
}
