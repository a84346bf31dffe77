import { Suspense } from "react";
import { lazily } from "../lazily.ts";
import type { CodeEditorProps } from "./code-mirror.tsx";
import { Skeleton } from "./states.tsx";

const Editor = lazily(() => import("./code-mirror.tsx"));

/** An editor for JSON and other code. It loads when it is first shown. Give it a new `key` to replace its text. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton lines={5} />}>
      <Editor {...props} />
    </Suspense>
  );
}
