import type { ReactNode } from "react";
import { ApiFailure, sentenceOf } from "../api.ts";
import { forgetCredential, readCredential } from "../credential.ts";
import { Button } from "./button.tsx";
import { Copy } from "./copy.tsx";
import { Icon } from "./icons.tsx";

interface EmptyProps {
  title: string;
  /** An explanation of what the page would show, and of how to create the first entry. */
  children?: ReactNode;
  /** A command that creates the first entry, with a button that copies it. */
  command?: string;
  action?: ReactNode;
}

/** Shown in place of an empty list. It explains the list, and offers a command or a button that creates the first entry. */
export function Empty({ title, children, command, action }: EmptyProps) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-4 py-14 text-center">
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="text-muted">{children}</div>}
      {command && (
        <div className="flex max-w-full items-start gap-2 rounded-md border border-line bg-sunken py-1 pr-1 pl-3 text-left">
          <code className="min-w-0 py-1.5 font-mono text-xs break-words whitespace-pre-wrap">{command}</code>
          <Copy text={command} label="Copy the command" />
        </div>
      )}
      {action}
    </div>
  );
}

interface FailureProps {
  /** The failed action as a sentence without a full stop, such as "The runs could not be loaded". */
  what: string;
  error: unknown;
  retry?: () => void;
}

/** Shows the failed action, the error, and a button that tries again. */
export function Failure({ what, error, retry }: FailureProps) {
  const status = error instanceof ApiFailure ? error.status : undefined;
  return (
    <div role="alert" className="m-4 flex flex-wrap items-start gap-3 rounded-lg border border-line bg-surface p-4">
      <Icon name="warning" className="mt-0.5 text-bad" />
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium">{what}.</p>
        <p className="mt-0.5 break-words text-muted">{sentenceOf(error)}</p>
      </div>
      {status === 403 && readCredential() !== undefined && (
        <Button onClick={() => forgetCredential("Enter a credential that may do this.")}>Use another credential</Button>
      )}
      {retry && (
        <Button icon="retry" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Grey bars that are shown while content is loaded. */
export function Skeleton({ lines = 3, className = "" }: { lines?: number; className?: string }) {
  return (
    <div role="status" className={`space-y-2.5 ${className}`}>
      <span className="sr-only">Loading …</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all the same
        <div key={line} className={`h-4 animate-pulse rounded-sm bg-sunken ${line % 3 === 2 ? "w-2/3" : "w-full"}`} />
      ))}
    </div>
  );
}
