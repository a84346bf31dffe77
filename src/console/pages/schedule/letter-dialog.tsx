import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { JsonField, jsonText } from "../../parts/json-field.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { useMayAct } from "../../settings.ts";
import { kindNames, titleOf } from "./letter-looks.ts";
import type { Change } from "./letters-change.tsx";
import { useDeadLetter, type WholeLetter } from "./reads.ts";

interface Props {
  id: string;
  onAsk: (change: Change) => void;
  onClose: () => void;
}

/** Shows a dead letter with its error and its payload. A person can change the input, and redrive or discard the letter. */
export function LetterDialog({ id, onAsk, onClose }: Props) {
  const { data: letter, error, refetch } = useDeadLetter(id);
  const [edit, setEdit] = useState<string>();
  const mayAct = useMayAct() && letter?.state === "dead";
  const parsed = parsedEdit(edit);
  return (
    <Dialog
      title={letter ? `${kindNames[letter.kind]}: ${titleOf(letter)}` : "Dead letter"}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {mayAct && (
            <>
              <Button kind="danger" onClick={() => onAsk({ action: "discard", letters: [letter] })}>
                Discard
              </Button>
              <Button
                kind="primary"
                icon="retry"
                disabled={parsed.problem !== undefined}
                onClick={() => onAsk({ action: "redrive", letters: [letter], ...(edit !== undefined && { edit: parsed.value }) })}
              >
                Redrive
              </Button>
            </>
          )}
        </>
      }
    >
      {error && !letter && <Failure what="The letter could not be loaded" error={error} retry={() => void refetch()} />}
      {!error && !letter && <Skeleton />}
      {letter && (
        <div className="max-h-[60vh] space-y-3 overflow-y-auto">
          <p className="break-words text-bad">
            {letter.error.type}: {letter.error.message}
          </p>
          <JsonView label="Payload" value={letter.payload} />
          {mayAct && letter.kind !== "webhook" && <Edit letter={letter} text={edit} problem={parsed.problem} onChange={setEdit} />}
        </div>
      )}
    </Dialog>
  );
}

interface EditProps {
  letter: WholeLetter;
  /** The input that the person has entered, as text. Undefined if the letter is redriven with its stored input. */
  text: string | undefined;
  problem: string | undefined;
  onChange: (text: string | undefined) => void;
}

function Edit({ letter, text, problem, onChange }: EditProps) {
  if (text === undefined)
    return <Button onClick={() => onChange(jsonText(inputIn(letter.payload)) ?? "")}>Redrive with another input …</Button>;
  return (
    <JsonField
      label="Input"
      text={text}
      error={problem}
      hint="The redrive starts with this input instead of the stored one."
      onChange={onChange}
    />
  );
}

/**
 * Returns the input in a payload. The payload of a run is its request, which contains the input. The payload of an item is the input
 * itself.
 */
function inputIn(payload: unknown): unknown {
  const isRequest = typeof payload === "object" && payload !== null && "input" in payload;
  return isRequest ? payload.input : payload;
}

function parsedEdit(text: string | undefined): { value?: unknown; problem?: string } {
  if (text === undefined) return {};
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `This is not JSON. ${error instanceof Error ? error.message : ""}` };
  }
}
