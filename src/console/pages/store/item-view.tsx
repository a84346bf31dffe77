import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { Copy } from "../../parts/copy.tsx";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue } from "../../parts/page.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import { Empty, Failure, Skeleton } from "../../parts/states.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import { ItemForm } from "./item-form.tsx";
import { type FoundItem, useItem } from "./reads.ts";

interface Props {
  namespace: string[];
  itemKey: string;
  onClose: () => void;
}

/** The open item with its value and its actions. */
export function ItemView({ namespace, itemKey, onClose }: Props) {
  const item = useItem(namespace, itemKey);
  const [edited, setEdited] = useState<FoundItem>();
  if (edited) return <ItemForm item={edited} onDone={() => setEdited(undefined)} onCancel={() => setEdited(undefined)} />;
  if (item.data === undefined)
    return item.error ? (
      <Failure what="The item could not be loaded" error={item.error} retry={() => void item.refetch()} />
    ) : (
      <Skeleton className="p-4" />
    );
  if (item.data === null) return <Empty title="There is no such item">{whyMissing(namespace)}</Empty>;
  return <Shown item={item.data} onEdit={setEdited} onClose={onClose} />;
}

const whyMissing = (namespace: string[]) =>
  namespace.some((label) => label === "" || label.includes("."))
    ? "A label of its namespace is empty or contains a dot. Only graphs can read such items."
    : "It may have expired or been deleted.";

function Shown({ item, onEdit, onClose }: { item: FoundItem; onEdit: (item: FoundItem) => void; onClose: () => void }) {
  const [isDeleting, setDeleting] = useState(false);
  const mayAct = useMayAct();
  const { namespace, key, value, created_at, updated_at } = item;
  return (
    <div className="space-y-4 p-4 lg:p-6">
      <div className="flex flex-wrap items-start gap-2">
        <h2 className="min-w-0 flex-1 basis-40 text-lg font-semibold break-words">{key === "" ? "(empty key)" : key}</h2>
        {mayAct && (
          <>
            <Button icon="pencil" onClick={() => onEdit(item)}>
              Edit
            </Button>
            <Button kind="danger" icon="trash" onClick={() => setDeleting(true)}>
              Delete
            </Button>
          </>
        )}
      </div>
      <KeyValue
        entries={[
          ["Namespace", <Path key="path" namespace={namespace} />],
          ["Created", <RelativeTime key="created" time={created_at} />],
          ["Updated", <RelativeTime key="updated" time={updated_at} />],
        ]}
      />
      <JsonView value={value} />
      {isDeleting && <DeleteItem item={item} onDone={onClose} onClose={() => setDeleting(false)} />}
    </div>
  );
}

const Path = ({ namespace }: { namespace: string[] }) => (
  <span className="inline-flex max-w-full items-center gap-1">
    <code className="min-w-0 font-mono text-xs break-all">{namespace.join(".")}</code>
    <Copy text={namespace.join(".")} label="Copy the namespace" />
  </span>
);

function DeleteItem({ item, onDone, onClose }: { item: FoundItem; onDone: () => void; onClose: () => void }) {
  const { namespace, key } = item;
  const remove = useMutation({
    mutationFn: () => answerOf(api.DELETE("/store/items", { body: { namespace, key } })),
    onSuccess: async () => {
      tell(`The item ${key} was deleted.`);
      onDone();
      await queries.invalidateQueries({ queryKey: ["store"] });
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${key}?`}
      action="Delete"
      isDangerous
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p className="break-words">
          Graphs and clients no longer find it in <code className="font-mono text-xs">{namespace.join(".")}</code>. This cannot be undone.
        </p>
        <Refusal error={remove.error} />
      </div>
    </ConfirmDialog>
  );
}
