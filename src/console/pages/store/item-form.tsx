import { type FormEvent, useState } from "react";
import { Button, buttonLook } from "../../parts/button.tsx";
import { Input, Select } from "../../parts/field.tsx";
import { JsonField, jsonText, parseObject, problemOf } from "../../parts/json-field.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import { type ItemName, usePut } from "./put.ts";
import type { FoundItem } from "./reads.ts";

interface Props {
  /** The item to edit. Undefined for a new item. */
  item?: FoundItem;
  /** The initial namespace in the form of a new item. */
  namespace?: string[];
  onDone: (name: ItemName) => void;
  onCancel: () => void;
}

const lifetimes = [
  { value: "default", label: "The default of the service" },
  { value: "never", label: "Never" },
  { value: "minutes", label: "After some minutes" },
];

/** The form that writes an item. The name of an existing item cannot change, because a new name would create another item. */
export function ItemForm({ item, namespace = [], onDone, onCancel }: Props) {
  const [path, setPath] = useState((item?.namespace ?? namespace).join("."));
  const [key, setKey] = useState(item?.key ?? "");
  const [text, setText] = useState(() => jsonText(item?.value ?? {}));
  const [lifetime, setLifetime] = useState("default");
  const [minutes, setMinutes] = useState("60");
  const [isTried, setTried] = useState(false);
  const put = usePut(item, onDone);
  const parsed = parseObject(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!("value" in parsed)) return;
    const ttl = lifetime === "default" ? undefined : lifetime === "never" ? null : Number(minutes);
    put.mutate({ namespace: item?.namespace ?? labelsOf(path), key, value: parsed.value, ttl });
  };
  return (
    <form onSubmit={submit} noValidate className="max-w-2xl space-y-4 p-4 lg:p-6">
      <h2 className="text-lg font-semibold break-words">{item ? `Edit ${item.key}` : "New item"}</h2>
      {!item && (
        <>
          <Input
            label="Namespace"
            value={path}
            hint="Labels with dots between, such as users.ann"
            onChange={({ target }) => setPath(target.value)}
          />
          <Input label="Key" value={key} onChange={({ target }) => setKey(target.value)} />
        </>
      )}
      <JsonField label="Value" text={text} error={isTried ? problemOf(parsed) : undefined} onChange={setText} />
      <div className="grid gap-3 sm:grid-cols-2">
        <Select
          label="Expires"
          value={lifetime}
          options={lifetimes}
          hint={item && "Saving starts a new time to live. The API does not tell the present one."}
          onChange={setLifetime}
        />
        {lifetime === "minutes" && (
          <Input label="Minutes" inputMode="decimal" value={minutes} onChange={({ target }) => setMinutes(target.value)} />
        )}
      </div>
      <Refusal error={put.error} />
      <div className="flex gap-2">
        <button type="submit" disabled={put.isPending} className={buttonLook("primary")}>
          {item ? "Save item" : "Create item"}
        </button>
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

const labelsOf = (path: string) => (path.trim() === "" ? [] : path.trim().split("."));
