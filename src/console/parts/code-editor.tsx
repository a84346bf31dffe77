import { Suspense } from "react";
import { lazily } from "../lazily.ts";
import type { CodeEditorProps } from "./code-mirror.tsx";
import { Skeleton } from "./states.tsx";

const Editor = lazily(() => import("./code-mirror.tsx"));

/** An editor for JSON and other texts. The editor's module is loaded when an editor is first shown. A new `key` replaces the text. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton lines={5} />}>
      <Editor {...props} />
    </Suspense>
  );
}
