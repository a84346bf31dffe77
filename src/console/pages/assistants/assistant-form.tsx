import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { buttonLook } from "../../parts/button.tsx";
import { Input, Select, TextArea } from "../../parts/field.tsx";
import { useFirstProblem } from "../../parts/first-problem.ts";
import { JsonField, problemOf } from "../../parts/json-field.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { useSchemaForm } from "../../parts/use-schema-form.ts";
import { type AssistantDraft, useAssistantDraft, useSave } from "./draft.ts";
import { type Assistant, type GraphSchemas, useGraphSchemas } from "./reads.ts";

interface Props {
  graphs: string[];
  /** The graph that a new assistant's form selects first. */
  graph?: string | undefined;
  /** The assistant that gets a new version. Undefined for a new assistant. */
  assistant?: Assistant;
  onDone: (assistant: Assistant) => void;
}

/** The fields of an assistant. The schema of the graph determines the fields of the context. */
export function AssistantForm({ graphs, graph: wanted, assistant, onDone }: Props) {
  const [graph, setGraph] = useState(assistant?.graph_id ?? wanted ?? graphs[0] ?? "");
  const schemas = useGraphSchemas(graph);
  const draft = useAssistantDraft(assistant);
  const known = graphs.includes(graph) ? graphs : [graph, ...graphs];
  const fields = (
    <>
      <Select
        label="Graph"
        value={graph}
        options={known.map((name) => ({ value: name, label: name }))}
        hint={assistant ? "The context below has the fields of this graph." : "The graph that the runs of the assistant execute."}
        onChange={setGraph}
      />
      <Input
        label="Name"
        value={draft.name}
        required
        error={draft.nameProblem}
        onChange={({ target }) => draft.set({ name: target.value })}
      />
      <TextArea
        label="Description (optional)"
        value={draft.description}
        onChange={({ target }) => draft.set({ description: target.value })}
      />
    </>
  );
  if (!schemas.data || schemas.isPlaceholderData)
    return (
      <div className="max-w-2xl space-y-5 p-4 lg:p-6">
        {fields}
        {schemas.error ? (
          <Failure what="The schemas of the graph could not be loaded" error={schemas.error} retry={() => void schemas.refetch()} />
        ) : (
          <Skeleton lines={4} />
        )}
      </div>
    );
  return <Loaded key={graph} {...{ graph, assistant, draft, fields, onDone }} schemas={schemas.data} />;
}

interface LoadedProps {
  graph: string;
  assistant: Assistant | undefined;
  draft: AssistantDraft;
  fields: React.ReactNode;
  schemas: GraphSchemas;
  onDone: (assistant: Assistant) => void;
}

function Loaded({ graph, assistant, draft, fields, schemas, onDone }: LoadedProps) {
  const keeps = assistant?.graph_id === graph;
  const context = useSchemaForm({
    schema: { ...schemas.context_schema, required: [] }, // nothing is required, because a run can supply the missing fields
    initial: keeps ? assistant.context : undefined,
  });
  const save = useSave(assistant, onDone);
  const isTried = draft.tries > 0;
  const form = useFirstProblem(save.error ?? draft.tries);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    draft.addTry();
    const entered = context.submit();
    const { config, metadata, name, description } = draft;
    if (!entered || draft.name.trim() === "" || !("value" in config) || !("value" in metadata)) return;
    const value = (entered.value ?? {}) as Record<string, unknown>;
    save.mutate({
      graph_id: graph,
      name,
      description: description || null,
      context: value,
      config: config.value,
      metadata: metadata.value,
    });
  };
  return (
    <form ref={form} onSubmit={submit} noValidate className="max-w-2xl space-y-5 p-4 lg:p-6">
      {fields}
      <SchemaForm form={context} label="Context" />
      <JsonField
        label="Config"
        text={draft.configText}
        error={isTried ? problemOf(draft.config) : undefined}
        hint="Settings for each run, such as recursion_limit, tags and configurable."
        onChange={(text) => draft.set({ configText: text })}
      />
      <JsonField
        label="Metadata"
        text={draft.metadataText}
        error={isTried ? problemOf(draft.metadata) : undefined}
        hint="Your own keys, to find the assistant by."
        onChange={(text) => draft.set({ metadataText: text })}
      />
      <Refusal error={save.error} />
      <div className="flex gap-2">
        <button type="submit" disabled={save.isPending} className={buttonLook("primary")}>
          {assistant ? "Save as a new version" : "Create assistant"}
        </button>
        <Link href={assistant ? `/assistants/${assistant.assistant_id}` : "/assistants"} className={buttonLook("quiet")}>
          Cancel
        </Link>
      </div>
    </form>
  );
}
