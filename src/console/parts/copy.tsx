import { useState } from "react";
import { IconButton } from "./button.tsx";

/**
 * A button that copies a text to the clipboard. If the browser has no clipboard API, as over plain HTTP, the button copies the text from a
 * temporary text field.
 */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await write(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return <IconButton icon={isCopied ? "check" : "copy"} label={isCopied ? "Copied" : label} onClick={() => void copy()} />;
}

async function write(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** The short form of an id. The whole id is shown on hover, and a button copies it. */
export function Id({ id }: { id: string }) {
  return (
    <span className="inline-flex items-center gap-0.5">
      <code className="font-mono text-xs" title={id}>
        {id.slice(-8)}
      </code>
      <Copy text={id} label={`Copy ${id}`} />
    </span>
  );
}
