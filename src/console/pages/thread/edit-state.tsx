import { useState } from "react";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { CodeEditor } from "../../parts/code-editor.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Select } from "../../parts/field.tsx";
import { isObject } from "../../parts/json-schema.ts";
import { tell } from "../../parts/toast.tsx";
import { idOf, refreshThread, type State, type ThreadFacts } from "./data.ts";

interface Props {
  thread: ThreadFacts;
  state: State;
  onDone: (checkpointId: string) => void;
  onClose: () => void;
}

/** Edits the state at a checkpoint. Saving adds a new checkpoint, and no old checkpoint changes. */
export function EditStateDialog({ thread, state, onDone, onClose }: Props) {
  const [initial] = useState(() => JSON.stringify(state.values ?? {}, null, 2));
  const [text, setText] = useState(initial);
  const [node, setNode] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const nodes = useNodes(thread);
  const save = async () => {
    const values = changedKeys(state.values, text);
    if (typeof values === "string") return setProblem(values);
    setBusy(true);
    setProblem(undefined);
    const body = { values, checkpoint_id: idOf(state), ...(node && { as_node: node }) };
    try {
      const { checkpoint } = await answerOf<{ checkpoint?: { checkpoint_id?: string } }>(
        api.POST("/threads/{threadId}/state", { params: { path: { threadId: thread.thread_id } }, body }) as never,
      );
      tell("The state was saved as a new checkpoint.");
      refreshThread(thread.thread_id);
      if (checkpoint?.checkpoint_id) onDone(checkpoint.checkpoint_id);
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" disabled={isBusy} onClick={() => void save()}>
        Save as a new checkpoint
      </Button>
    </>
  );
  return (
    <Dialog title="Edit the state" onClose={onClose} footer={footer}>
      <div className="space-y-3">
        <p className="text-sm text-muted">
          Only the fields that you change are sent. They go through the graph's reducers: a list that collects entries gets yours in
          addition, and messages with the same id are replaced.
        </p>
        <CodeEditor label="State" value={initial} onChange={setText} />
        <Select
          label="As the node"
          hint="The graph goes on as if this node had returned the change."
          value={node}
          options={[{ value: "", label: "The node that ran last" }, ...nodes.map((name) => ({ value: name, label: name }))]}
          onChange={setNode}
        />
        {problem && (
          <p role="alert" className="text-sm break-words text-bad">
            {problem}
          </p>
        )}
      </div>
    </Dialog>
  );
}

/** Returns the names of the nodes of the thread's graph. */
function useNodes({ metadata }: ThreadFacts): string[] {
  const assistantId = String(metadata.assistant_id ?? metadata.graph_id ?? "");
  const read = (signal: AbortSignal): Promise<unknown> =>
    answerOf<unknown>(api.GET("/assistants/{assistantId}/graph", { params: { path: { assistantId } }, signal }));
  const { data } = useLive(["graph", assistantId], read, { every: 3_600_000, enabled: assistantId !== "" });
  const nodes: unknown = isObject(data) ? data.nodes : undefined;
  if (!Array.isArray(nodes)) return [];
  return nodes.map((node) => (isObject(node) ? String(node.id) : "")).filter((id) => id !== "" && id !== "__start__" && id !== "__end__");
}

/** Returns the fields that differ from the state. If the text is invalid or changes nothing, returns a sentence that says so. */
function changedKeys(before: unknown, text: string): Record<string, unknown> | string {
  let after: unknown;
  try {
    after = JSON.parse(text);
  } catch (error) {
    return `This is not JSON. ${sentenceOf(error)}`;
  }
  if (!isObject(after)) return "The state is a JSON object.";
  const old = isObject(before) ? before : {};
  const missing = Object.keys(old).filter((key) => !(key in (after as object)));
  if (missing.length > 0) return `A field cannot be removed: ${missing.join(", ")}. Set it to null instead.`;
  const changed = Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key]));
  return changed.length > 0 ? Object.fromEntries(changed) : "Nothing has changed.";
}
