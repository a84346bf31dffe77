import type { ReactNode } from "react";

interface Props {
  title: string;
  aside?: ReactNode;
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A framed section of the page with a heading. */
export function Panel({ title, aside, actions, className = "", children }: Props) {
  return (
    <section aria-label={title} className={`flex min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-surface ${className}`}>
      <div className="flex h-10 shrink-0 items-center gap-2 border-b border-line pr-1.5 pl-3">
        <h2 className="font-semibold">{title}</h2>
        {aside && <span className="numbers truncate text-xs text-muted">{aside}</span>}
        {actions && <div className="ml-auto flex items-center">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Adds space around the content of a tab. */
export const Padded = ({ children }: { children: ReactNode }) => <div className="space-y-4 p-4">{children}</div>;

/** A text that explains why a tab is empty. */
export const Nothing = ({ children }: { children: ReactNode }) => (
  <p className="mx-auto max-w-xl px-4 py-10 text-center text-muted">{children}</p>
);
