import { type KeyboardEvent, useRef, useState } from "react";
import { Link } from "wouter";
import { Button } from "../../../parts/button.tsx";
import { Copy } from "../../../parts/copy.tsx";
import { Input, TextArea } from "../../../parts/field.tsx";
import { plural, shortId } from "../../../parts/format.ts";
import { Icon } from "../../../parts/icons.tsx";
import { SchemaForm } from "../../../parts/schema-form.tsx";
import { useMayAct } from "../../../settings.ts";
import { asCode, asCurl } from "../request.ts";
import { Refused } from "../run/run-stream.ts";
import { type Session, startRun } from "../run/session.ts";
import type { Assistant } from "../targets.ts";
import { type Composer, type GraphSchemas, useComposer } from "./use-composer.ts";

interface Props {
  target: Assistant;
  schemas: GraphSchemas;
  /** The run of this assistant that the page shows. Undefined if there is none. */
  session: Session | undefined;
  /** The id of the thread that the URL names. Undefined if the URL names no thread. */
  threadId: string | undefined;
  onStart: () => void;
  onReset: () => void;
}

/** The form of a run: input, context and thread, and the button that starts the run. */
export function ComposerForm({ target, schemas, session, threadId, onStart, onReset }: Props) {
  const failure = session?.phase === "refused" ? session.failure : undefined;
  const composer = useComposer(target, schemas, failure);
  const [staysOnThread, setStaysOnThread] = useState(threadId !== undefined);
  const form = useRef<HTMLFormElement>(null);
  const mayAct = useMayAct();
  const known = session?.phase === "refused" && session.runId === undefined ? threadId : (session?.threadId ?? threadId);
  const thread = staysOnThread ? known : undefined;
  const isBusy = session?.phase === "starting" || session?.phase === "streaming";
  const run = () => {
    const request = composer.submit(thread);
    if (!request) return showProblem(form.current);
    onStart();
    void startRun(request, target.name).then(() => showProblem(form.current));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation(); // without this, the editor would insert a line break
    if (mayAct && !isBusy) run();
  };
  return (
    <form
      ref={form}
      noValidate
      aria-label="Run"
      onKeyDownCapture={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
      className="flex flex-col gap-5"
    >
      <InputFields composer={composer} />
      <MoreFields composer={composer} />
      <ThreadChoice known={known} stays={staysOnThread} onChange={setStaysOnThread} />
      <Refusal failure={failure} />
      <div className="sticky bottom-0 -mx-4 mt-auto space-y-2 border-t border-line bg-page px-4 py-3 lg:-mx-6 lg:px-6">
        {mayAct ? (
          <div className="flex items-center gap-2">
            <Button type="submit" kind="primary" icon="play" disabled={isBusy} className="min-w-24">
              Run
            </Button>
            <kbd className="ml-1 font-sans text-xs text-muted max-md:hidden">Ctrl + Enter</kbd>
            <Button kind="quiet" className="ml-auto" onClick={onReset}>
              Reset
            </Button>
          </div>
        ) : (
          <p className="flex items-start gap-2 text-sm text-muted">
            <Icon name="pause" className="mt-0.5" />
            This console is read only, so it cannot run anything. You can copy the request and send it yourself.
          </p>
        )}
        <Copies composer={composer} thread={thread} />
      </div>
    </form>
  );
}

/** Moves the focus to the first field with a problem, if there is one. */
function showProblem(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => {
    const field = form?.querySelector<HTMLElement>("[aria-invalid=true]");
    field?.closest("details")?.setAttribute("open", "");
    field?.focus();
  });
}

function InputFields({ composer: { kind, input } }: { composer: Composer }) {
  if (kind === "fields") return <SchemaForm form={input} label="Input" />;
  return (
    <TextArea
      label="Message"
      rows={4}
      className="[&_textarea]:field-sizing-content [&_textarea]:max-h-96"
      placeholder="Write what a person would say …"
      value={typeof input.value === "string" ? input.value : ""}
      error={[...input.problems].find(([path]) => input.isShown(path) || (path !== "" && input.isShown("")))?.[1]}
      onChange={({ target }) => input.setValue(target.value === "" ? undefined : target.value)}
    />
  );
}

/** A folded part of the form, for settings that most runs do not need. */
function Folded({ title, note, children }: { title: string; note: string; children: React.ReactNode }) {
  return (
    <details className="group rounded-lg border border-line bg-surface">
      <summary className="flex h-9 items-center gap-2 rounded-lg px-3 text-sm font-medium select-none">
        <Icon name="chevron" className="size-3.5 text-muted group-open:rotate-90" />
        {title}
        <span className="ml-auto font-normal text-muted">{note}</span>
      </summary>
      <div className="border-t border-line p-3">{children}</div>
    </details>
  );
}

function MoreFields({ composer: { context, changes, limit } }: { composer: Composer }) {
  return (
    <div className="space-y-2">
      {context && (
        <Folded title="Context" note={changes === 0 ? "no changes" : plural(changes, "change")}>
          <SchemaForm form={context} label="Context" title="Only what you change is sent" />
        </Folded>
      )}
      <Folded title="Options" note={limit.text === "" ? "none" : `at most ${limit.text} steps`}>
        <Input
          label="Recursion limit"
          inputMode="numeric"
          hint="The most steps that the run may take. Leave it empty for the limit of the graph, which is 25 if it sets none."
          value={limit.text}
          error={limit.problem}
          onChange={({ target }) => limit.set(target.value)}
        />
      </Folded>
    </div>
  );
}

interface ThreadProps {
  known: string | undefined;
  stays: boolean;
  onChange: (stays: boolean) => void;
}

function ThreadChoice({ known, stays, onChange }: ThreadProps) {
  if (known === undefined) return null;
  const choice = (value: boolean, label: React.ReactNode) => (
    <label className="flex items-center gap-2">
      <input type="radio" name="thread" className="accent-accent" checked={stays === value} onChange={() => onChange(value)} />
      {label}
    </label>
  );
  return (
    <fieldset className="space-y-1.5 text-sm">
      <legend className="mb-1 font-medium">Thread</legend>
      {choice(false, "A new thread")}
      {choice(
        true,
        <span>
          Continue on{" "}
          <Link href={`/threads/${known}`} className="font-mono text-xs text-accent underline" title={known}>
            {shortId(known)}
          </Link>
        </span>,
      )}
    </fieldset>
  );
}

/** Shows why the service refused the request. Fields of the form additionally show their own problem. */
function Refusal({ failure }: { failure: unknown }) {
  if (!failure) return null;
  const fields = failure instanceof Refused ? failure.fields : [];
  return (
    <div role="alert" className="rounded-lg bg-bad-soft px-3 py-2.5 text-sm text-bad">
      <p className="flex items-start gap-2 font-medium">
        <Icon name="warning" className="mt-0.5" />
        The run was not started.
      </p>
      {fields.length === 0 && <p className="mt-1 pl-6 break-words">{failure instanceof Error ? failure.message : String(failure)}</p>}
      <ul className="mt-1 space-y-0.5 pl-6 break-words">
        {fields.map(({ field, message }) => (
          <li key={field}>
            <code className="font-mono text-xs">{field}</code>: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Copies({ composer, thread }: { composer: Composer; thread: string | undefined }) {
  const request = composer.request(thread);
  return (
    <p className="flex items-center gap-1 text-xs text-muted">
      Copy as
      <span className="ml-2 font-mono">curl</span>
      <Copy text={asCurl(request)} label="Copy as curl" />
      <span className="ml-2">SDK code</span>
      <Copy text={asCode(request)} label="Copy as SDK code" />
    </p>
  );
}
