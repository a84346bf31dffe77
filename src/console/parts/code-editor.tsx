import { Suspense } from "react";
import { lazily } from "../lazily.ts";
import type { CodeEditorProps } from "./code-mirror.tsx";
import { Skeleton } from "./states.tsx";

const Editor = lazily(() => import("./code-mirror.tsx"));

/** An editor for JSON and other code. Its code is loaded when it is first shown. To replace its text, give it a new `key`. */
export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Skeleton lines={5} />}>
      <Editor {...props} />
    </Suspense>
  );
}
