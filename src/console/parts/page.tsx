import { type ReactNode, useEffect } from "react";
import { Link } from "wouter";

interface PageProps {
  title: string;
  /** The pages above this page, from the outermost one. Example: `[{ label: "Runs", to: "/runs" }]`. */
  breadcrumbs?: { label: string; to: string }[];
  /** The content beside the title, such as the status of a run. */
  aside?: ReactNode;
  actions?: ReactNode;
  /** True if the page is as high as the screen and its parts scroll. If false, the whole page scrolls. */
  isFull?: boolean;
  children: ReactNode;
}

/** The frame of a page: a header with breadcrumbs, title and actions, and the content. */
export function Page({ title, breadcrumbs = [], aside, actions, isFull, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Ensemble`;
  }, [title]);
  return (
    <div className={`flex min-w-0 flex-col ${isFull ? "h-full" : "min-h-full"}`}>
      <header className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2.5 lg:px-6">
        {breadcrumbs.length > 0 && (
          <nav aria-label="Breadcrumbs" className="flex items-center gap-2 text-muted">
            {breadcrumbs.map(({ label, to }) => (
              <span key={to} className="flex items-center gap-2">
                <Link href={to} className="hover:text-text hover:underline">
                  {label}
                </Link>
                <span aria-hidden="true">/</span>
              </span>
            ))}
          </nav>
        )}
        <h1 className="min-w-0 truncate text-lg font-semibold">{title}</h1>
        {aside}
        {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className="flex min-h-0 flex-1 flex-col">{children}</div>
    </div>
  );
}

/** A section of a page with a heading. */
export function Section({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <div className="mb-2 flex min-h-8 items-center gap-3">
        <h2 className="font-semibold">{title}</h2>
        {actions && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** A list of names with their values. */
export function KeyValue({ entries }: { entries: [name: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,max-content)_1fr] gap-x-6 gap-y-1.5">
      {entries.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
