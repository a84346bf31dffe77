import type { ReactNode } from "react";
import { Button, IconButton } from "../../parts/button.tsx";
import { useDraft } from "../../parts/draft.ts";

interface Props {
  isLoading: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
  beside: ReactNode;
}

/** The field in which a person writes a message. Enter sends the message, and Shift+Enter begins a new line. */
export function Composer({ isLoading, onSend, onStop, beside }: Props) {
  const [text, setText] = useDraft("message", () => "");
  const send = () => {
    if (text.trim() === "" || isLoading) return;
    onSend(text);
    setText("");
  };
  return (
    <form
      aria-label="New message"
      className="border-t border-line bg-page px-4 py-3 lg:px-6"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto max-w-3xl">
        {beside && <div className="mb-2 flex flex-wrap gap-2 empty:hidden">{beside}</div>}
        <div className="flex items-end gap-1 rounded-lg border border-line bg-surface p-1 focus-within:border-accent">
          <textarea
            aria-label="Message"
            placeholder="Write a message"
            rows={1}
            value={text}
            onChange={({ target }) => setText(target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              send();
            }}
            className="field-sizing-content max-h-48 min-h-8 min-w-0 flex-1 resize-none bg-transparent px-2 py-1.5 outline-none placeholder:text-muted"
          />
          {isLoading ? (
            <Button icon="stop" onClick={onStop}>
              Stop
            </Button>
          ) : (
            <IconButton icon="send" label="Send" type="submit" disabled={text.trim() === ""} className="size-8 text-accent" />
          )}
        </div>
      </div>
    </form>
  );
}
