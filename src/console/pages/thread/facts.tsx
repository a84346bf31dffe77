import { useState } from "react";
import { useLocation } from "wouter";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { CodeEditor } from "../../parts/code-editor.tsx";
import { Id } from "../../parts/copy.tsx";
import { ConfirmDialog, Dialog } from "../../parts/dialog.tsx";
import { isObject } from "../../parts/json-schema.ts";
import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue, Section } from "../../parts/page.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import { refreshThread, type ThreadFacts } from "./data.ts";
import { ThreadStatus } from "./thread-status.tsx";

/** Shows the id, the status, the graph, the times and the metadata of a thread, and a button that deletes the thread. */
export function Facts({ thread }: { thread: ThreadFacts }) {
  const mayAct = useMayAct();
  const [open, setOpen] = useState<"edit" | "delete">();
  const { thread_id, status, metadata, created_at, updated_at } = thread;
  const close = () => setOpen(undefined);
  const edit = mayAct && (
    <Button icon="pencil" onClick={() => setOpen("edit")}>
      Edit metadata
    </Button>
  );
  return (
    <div className="space-y-5 p-4">
      <KeyValue
        entries={[
          ["Thread", <Id key="id" id={thread_id} />],
          ["Status", <ThreadStatus key="status" status={status} />],
          ["Graph", String(metadata.graph_id ?? "none")],
          ["Created", <RelativeTime key="created" time={created_at} />],
          ["Changed", <RelativeTime key="changed" time={updated_at} />],
        ]}
      />
      <Section title="Metadata" actions={edit}>
        <JsonView value={metadata} label="Metadata" />
      </Section>
      {mayAct && (
        <Button kind="danger" icon="trash" onClick={() => setOpen("delete")}>
          Delete the thread
        </Button>
      )}
      {open === "edit" && <MetadataDialog thread={thread} onClose={close} />}
      {open === "delete" && <DeleteDialog thread={thread} onClose={close} />}
    </div>
  );
}

function MetadataDialog({ thread: { thread_id: threadId, metadata }, onClose }: { thread: ThreadFacts; onClose: () => void }) {
  const [initial] = useState(() => JSON.stringify(metadata, null, 2));
  const [text, setText] = useState(initial);
  const [problem, setProblem] = useState<string>();
  const save = async () => {
    try {
      const changed: unknown = JSON.parse(text);
      if (!isObject(changed)) throw new Error("Metadata is a JSON object.");
      await answerOf(api.PATCH("/threads/{threadId}", { params: { path: { threadId } }, body: { metadata: changed } }));
      refreshThread(threadId);
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" onClick={() => void save()}>
        Save
      </Button>
    </>
  );
  return (
    <Dialog title="Edit the metadata" onClose={onClose} footer={footer}>
      <p className="mb-3 text-sm text-muted">
        Your fields are added to those that are there. A field cannot be removed, but it can be set to null.
      </p>
      <CodeEditor label="Metadata" value={initial} onChange={setText} />
      {problem && (
        <p role="alert" className="mt-2 text-sm break-words text-bad">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function DeleteDialog({ thread: { thread_id: threadId, status }, onClose }: { thread: ThreadFacts; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [isBusy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await answerOf(api.DELETE("/threads/{threadId}", { params: { path: { threadId } } }));
      tell("The thread was deleted.");
      navigate("/threads");
    } catch (error) {
      tell(`The thread could not be deleted. ${sentenceOf(error)}`, true);
      onClose();
    }
  };
  return (
    <ConfirmDialog
      title="Delete this thread?"
      action="Delete the thread"
      isDangerous
      isBusy={isBusy}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      Its runs, checkpoints and messages are deleted as well. This cannot be undone.
      {status === "busy" && " A run is at work on it, and is stopped."}
    </ConfirmDialog>
  );
}
