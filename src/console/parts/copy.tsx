import { useState } from "react";
import { IconButton } from "./button.tsx";

/** A button that copies a text. Where the browser refuses, as over plain HTTP, it does it through a selection. */
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

/** An id in short, with its whole text on hover and a button to copy it. */
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
