import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { number } from "../../parts/format.ts";
import { Message } from "./message.tsx";
import type { Shown } from "./messages.ts";

/**
 * The number of newest messages that are shown before the person asks for more. Each click on the button shows as many more. The limit
 * keeps the page of a long thread fast.
 */
const step = 60;

interface Props {
  messages: Shown[];
  isLoading?: boolean;
  /** The element after the last message, such as the form for an open question. */
  children?: ReactNode;
}

/** The messages of a conversation. If the person is at the end, the list scrolls along with new messages. Otherwise it does not scroll. */
export function MessageList({ messages, isLoading = false, children }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [shown, setShown] = useState(step);
  const hidden = Math.max(0, messages.length - shown);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows what is added
  useEffect(() => {
    const element = scroller.current;
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [messages, children]);
  const showMore = () => {
    const element = scroller.current;
    const fromEnd = element ? element.scrollHeight - element.scrollTop : 0;
    setShown(shown + step);
    requestAnimationFrame(() => element?.scrollTo(0, element.scrollHeight - fromEnd));
  };
  return (
    <div
      ref={scroller}
      role="log"
      aria-label="Messages"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the list scrolls, so the keyboard must reach it
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 80;
      }}
      className="min-h-0 flex-1 overflow-auto px-4 py-5 focus-visible:-outline-offset-2 lg:px-6"
    >
      <div className="mx-auto max-w-3xl space-y-5">
        {hidden > 0 && (
          <div className="text-center">
            <Button kind="quiet" onClick={showMore}>
              Show {number(Math.min(step, hidden))} of {number(hidden)} earlier messages
            </Button>
          </div>
        )}
        {messages.slice(hidden).map((message, index) => (
          <Message
            key={message.key}
            message={message}
            isLive={isLoading && hidden + index === messages.length - 1 && message.role === "ai"}
          />
        ))}
        {children}
        {isLoading && (
          <p role="status" className="text-sm text-muted">
            The run is at work …
          </p>
        )}
      </div>
    </div>
  );
}
