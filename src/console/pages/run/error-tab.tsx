import { Button } from "../../parts/button.tsx";
import { Copy } from "../../parts/copy.tsx";
import { Skeleton } from "../../parts/states.tsx";
import { useMayAct } from "../../settings.ts";
import type { Run, RunError, State } from "./data.ts";

interface Props {
  run: Run;
  error: RunError | null | undefined;
  state: State | null | undefined;
  onFork: () => void;
}

/** Shows the error of a run, and what a person can do about it. */
export function ErrorTab({ run, error, state, onFork }: Props) {
  const mayAct = useMayAct();
  if (error === undefined) return <Skeleton lines={4} className="p-4" />;
  const type = error?.error ?? (run.status === "timeout" ? "Timeout" : "Error");
  const message = error?.message ?? "The service kept no message of this error.";
  const nodes = (state?.tasks ?? []).flatMap(({ name, error: failure }) => (failure && typeof name === "string" ? [name] : []));
  return (
    <div className="grid gap-6 p-4 lg:grid-cols-[3fr_2fr]">
      <div className="min-w-0">
        <p className="font-mono text-sm font-medium text-bad">{type}</p>
        <div className="relative mt-2 rounded-md border border-line bg-bad-soft">
          <div className="absolute top-1 right-1">
            <Copy text={`${type}: ${message}`} label="Copy the error" />
          </div>
          <pre className="max-h-96 overflow-auto py-2.5 pr-10 pl-3 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
            {message}
          </pre>
        </div>
        {nodes.length > 0 && (
          <p className="mt-2 text-sm text-muted">
            In {nodes.length === 1 ? "the node" : "the nodes"}{" "}
            <span className="font-medium text-text">{[...new Set(nodes)].join(", ")}</span>.
          </p>
        )}
      </div>
      <div className="min-w-0 text-sm">
        <h3 className="font-semibold">What to try</h3>
        <ul className="mt-1.5 list-disc space-y-1.5 pl-5 text-muted">
          <li>
            <b className="font-medium text-text">Rerun</b> if the cause has passed, such as a model or a service that did not answer.
          </li>
          <li>
            <b className="font-medium text-text">Fork</b> from the last checkpoint: the steps before the failure keep their results, and you
            can correct the state first.
          </li>
          <li>If the code is at fault, correct it, restart the service, then fork: no finished step is done again.</li>
        </ul>
        {mayAct && state && (
          <Button icon="fork" className="mt-3" onClick={onFork}>
            Fork from the last checkpoint
          </Button>
        )}
      </div>
    </div>
  );
}
