import { memo } from "react";
import { plural } from "../../parts/format.ts";
import { Icon } from "../../parts/icons.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Tag } from "../../parts/status.tsx";
import type { Shown, ToolUse } from "./messages.ts";

const names: Record<Shown["role"], string> = { human: "You", ai: "Assistant", system: "System", tool: "Tool" };

/** A message from a person, a model or a tool. It is shown as plain text, because its source is not trusted. */
export const Message = memo(function Message({ message, isLive = false }: { message: Shown; isLive?: boolean }) {
  const { role, name, text, reasoning, attachments, tools } = message;
  const isHuman = role === "human";
  return (
    <article className={`flex min-w-0 flex-col gap-1.5 ${isHuman ? "items-end" : "items-start"}`}>
      <h3 className="text-xs font-medium text-muted">{isHuman ? (name ?? "Person") : (name ?? names[role])}</h3>
      {reasoning && (
        <details className="max-w-full rounded-md border border-line px-3 py-1.5 text-sm text-muted">
          <summary>Reasoning</summary>
          <p className="mt-1 break-words whitespace-pre-wrap">{reasoning}</p>
        </details>
      )}
      {text && (
        <p
          className={`max-w-full rounded-lg px-3.5 py-2 break-words whitespace-pre-wrap ${isHuman ? "bg-accent-soft sm:max-w-[85%]" : "border border-line bg-surface"}`}
        >
          {text}
          {isLive && <span aria-hidden="true" className="ml-0.5 inline-block h-3.5 w-1.5 animate-pulse bg-accent align-middle" />}
        </p>
      )}
      {attachments.map(({ label, link }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a message do not move
        <Tag key={index} icon="box">
          {link ? (
            <a href={link} target="_blank" rel="noreferrer noopener" className="underline">
              {label}
            </a>
          ) : (
            label
          )}
        </Tag>
      ))}
      {tools.map((tool) => (
        <Tool key={tool.id} tool={tool} />
      ))}
    </article>
  );
});

/** A tool call, folded at first. */
function Tool({ tool: { name, args, result, isFailed } }: { tool: ToolUse }) {
  return (
    <details className="group w-full max-w-full rounded-lg border border-line bg-surface">
      <summary className="flex min-h-9 flex-wrap items-center gap-x-2 px-3 py-1.5 text-sm">
        <Icon name="chevron" className="size-3.5 text-muted group-open:rotate-90" />
        <Icon name="tool" className="text-muted" />
        <code className="min-w-0 font-mono break-all">{name}</code>
        <span className="ml-auto">
          {result === undefined ? (
            <Tag icon="clock">No result yet</Tag>
          ) : isFailed ? (
            <Tag tone="bad" icon="cross">
              Failed
            </Tag>
          ) : (
            <Tag tone="good" icon="check">
              Done
            </Tag>
          )}
        </span>
      </summary>
      <div className="space-y-2 border-t border-line p-3">
        <JsonView value={args} label="Arguments" />
        {result !== undefined && (
          <section aria-label="Result">
            <p className="mb-0.5 text-xs text-muted">Result, {plural(result.length, "character")}</p>
            <pre className="max-h-80 overflow-auto rounded-md bg-sunken p-2.5 font-mono text-xs break-words whitespace-pre-wrap">
              {result.slice(0, 20_000)}
            </pre>
          </section>
        )}
      </div>
    </details>
  );
}
