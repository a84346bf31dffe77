import { memo, useState } from "react";
import { Button } from "../../../parts/button.tsx";
import { Copy } from "../../../parts/copy.tsx";
import { plural } from "../../../parts/format.ts";
import { Icon } from "../../../parts/icons.tsx";
import type { Message, ToolCall } from "./messages.ts";

/** The number of messages that are shown at first. */
const mostMessages = 30;
/** The maximum number of characters that are shown of a message. A longer message is cut at its beginning. */
const mostCharacters = 100_000;

/** The messages of the models while they are written. They are shown as plain text. */
export function MessagesView({ messages, isOpen }: { messages: Message[]; isOpen: boolean }) {
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? messages : messages.slice(-mostMessages);
  if (messages.length === 0) return null;
  return (
    <div className="space-y-4">
      {shown.length < messages.length && (
        <Button kind="quiet" onClick={() => setShowsAll(true)}>
          Show {plural(messages.length - shown.length, "earlier message")}
        </Button>
      )}
      {shown.map(({ id, type, from, text, calls }, index) => (
        <Written
          key={id}
          isTool={type === "tool"}
          from={from}
          text={text}
          calls={calls}
          callsKey={calls.map(({ args }) => args.length).join()}
          isWriting={isOpen && index === shown.length - 1}
        />
      ))}
    </div>
  );
}

interface WrittenProps {
  from: string;
  text: string;
  calls: ToolCall[];
  /** The lengths of the arguments of all calls. React needs this text to notice changes of `calls`, because that list changes in place. */
  callsKey: string;
  isTool: boolean;
  isWriting: boolean;
}

const Written = memo(function Written({ from, text, calls, isTool, isWriting }: WrittenProps) {
  const isCut = text.length > mostCharacters;
  return (
    <article aria-label={`Message of ${from}`}>
      <header className="mb-1 flex h-6 items-center gap-1.5 text-sm">
        <Icon name={isTool ? "tool" : "chat"} className="size-3.5 text-muted" />
        <span className="min-w-0 truncate font-medium">{from || "model"}</span>
        {!isWriting && text !== "" && (
          <span className="ml-auto">
            <Copy text={text} label={`Copy the message of ${from || "the model"}`} />
          </span>
        )}
      </header>
      {text !== "" && (
        <pre className="rounded-md bg-sunken p-3 font-sans break-words whitespace-pre-wrap">
          {isCut ? `… ${text.slice(-mostCharacters)}` : text}
          {isWriting && <span className="ml-0.5 inline-block h-3.5 w-1.5 animate-pulse bg-accent align-text-bottom" aria-hidden="true" />}
        </pre>
      )}
      {calls.map(({ name, args }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a message do not move
        <p key={index} className="mt-1 flex items-start gap-2 rounded-md border border-line px-3 py-1.5 font-mono text-xs">
          <Icon name="tool" className="mt-0.5 size-3.5 text-muted" />
          <span className="min-w-0 break-all">
            {name}({args})
          </span>
        </p>
      ))}
    </article>
  );
});
