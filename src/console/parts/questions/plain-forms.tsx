import { type ReactNode, type SubmitEvent, useId, useRef } from "react";
import { Button, buttonLook } from "../button.tsx";
import { useDraft } from "../draft.ts";
import type { JsonSchema } from "../json-schema.ts";
import { SchemaForm } from "../schema-form.tsx";
import { useSchemaForm } from "../use-schema-form.ts";
import type { AnswerProps } from "./answer-props.ts";

interface FrameProps {
  isBusy: boolean;
  onSubmit: () => void;
  children: ReactNode;
  beside?: ReactNode;
}

/** The frame of a form with the button that sends the answer. Ctrl+Enter in any field sends the answer too. */
function Frame({ isBusy, onSubmit, children, beside }: FrameProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isBusy) return;
    onSubmit();
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
      }}
      className="space-y-4"
    >
      {children}
      <div className="flex flex-wrap items-center gap-2">
        <button type="submit" disabled={isBusy} className={buttonLook("primary")}>
          Send answer
        </button>
        {beside}
      </div>
    </form>
  );
}

/** A form for an answer whose schema is known. The schema determines the fields. */
export function FieldsForm({ schema, draft, isBusy, onAnswer }: AnswerProps & { schema: JsonSchema }) {
  const form = useSchemaForm({ schema, draft });
  const send = () => {
    const valid = form.submit();
    if (valid) onAnswer(valid.value);
  };
  return (
    <Frame isBusy={isBusy} onSubmit={send}>
      <SchemaForm form={form} label="Answer" />
    </Frame>
  );
}

const labelOf = (option: unknown) => (typeof option === "string" ? option : JSON.stringify(option));

/** A form that sends one of the given options. */
export function SelectionForm({ options, draft, isBusy, onAnswer }: AnswerProps & { options: unknown[] }) {
  const [chosen, choose] = useDraft<number>(draft, () => -1);
  const [tried, setTried] = useDraft<boolean>(`${draft} tried`, () => false);
  const name = useId();
  const send = () => {
    setTried(true);
    if (chosen >= 0) onAnswer(options[chosen]);
  };
  return (
    <Frame isBusy={isBusy} onSubmit={send}>
      <fieldset className="space-y-1.5">
        <legend className="mb-1.5 text-sm font-medium">Answer</legend>
        {options.map((option, index) => (
          <label
            key={labelOf(option)}
            className={`flex cursor-pointer items-start gap-2.5 rounded-md border px-3 py-2 ${chosen === index ? "border-accent bg-accent-soft" : "border-line bg-surface hover:border-line-strong"}`}
          >
            <input type="radio" name={name} checked={chosen === index} onChange={() => choose(index)} className="mt-0.5 accent-accent" />
            <span className="min-w-0 break-words whitespace-pre-wrap">{labelOf(option)}</span>
          </label>
        ))}
        {tried && chosen < 0 && (
          <p role="alert" className="text-xs text-bad">
            Choose one of them.
          </p>
        )}
      </fieldset>
    </Frame>
  );
}

const anyText: JsonSchema = { type: "string" };
const anyJson: JsonSchema = {};

/** A form for an answer without a known schema. The person enters a text or JSON. */
export function UnknownForm({ isText, draft, isBusy, onAnswer }: AnswerProps & { isText: boolean }) {
  const [asText, setAsText] = useDraft<boolean>(`${draft} as text`, () => isText);
  const text = useSchemaForm({ schema: anyText, draft: `${draft} text` });
  const json = useSchemaForm({ schema: anyJson, draft: `${draft} json` });
  const send = () => {
    const valid = (asText ? text : json).submit();
    if (valid && valid.value !== undefined) onAnswer(valid.value);
  };
  const other = (
    <Button kind="quiet" onClick={() => setAsText(!asText)}>
      {asText ? "Answer with JSON instead" : "Answer with a text instead"}
    </Button>
  );
  return (
    <Frame isBusy={isBusy} onSubmit={send} beside={other}>
      <p className="text-sm text-muted">The graph does not say what the answer looks like.</p>
      {asText ? <SchemaForm form={text} label="Answer" /> : <SchemaForm form={json} label="Answer as JSON" />}
    </Frame>
  );
}
