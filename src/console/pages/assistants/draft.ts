import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api, type PostBody } from "../../api.ts";
import { queries } from "../../live.ts";
import { jsonText, type ParsedObject, parseObject, withKeptKeys } from "../../parts/json-field.tsx";
import { tell } from "../../parts/toast.tsx";
import type { Assistant } from "./reads.ts";

interface Typed {
  name: string;
  description: string;
  configText: string;
  metadataText: string;
}

/** The state of the assistant form except its context: the typed texts, their parsed values and their problems. */
export interface AssistantDraft extends Typed {
  config: ParsedObject;
  metadata: ParsedObject;
  nameProblem: string | undefined;
  set: (changes: Partial<Typed>) => void;
  /** The number of times that the person has tried to save. After the first try, the form shows its problems. */
  tries: number;
  addTry: () => void;
}

export function useAssistantDraft(assistant: Assistant | undefined): AssistantDraft {
  const [typed, setTyped] = useState<Typed>(() => ({
    name: assistant?.name ?? "",
    description: assistant?.description ?? "",
    configText: jsonText(assistant?.config ?? {}),
    metadataText: jsonText(assistant?.metadata ?? {}),
  }));
  const [tries, setTries] = useState(0);
  return {
    ...typed,
    tries,
    addTry: () => setTries(tries + 1),
    nameProblem: tries > 0 && typed.name.trim() === "" ? "Enter a name." : undefined,
    config: parseObject(typed.configText),
    metadata: withKeptKeys(parseObject(typed.metadataText), assistant?.metadata),
    set: (changes) => setTyped((old) => ({ ...old, ...changes })),
  };
}

export type AssistantFields = Pick<PostBody<"/assistants">, "graph_id" | "name" | "description" | "context" | "config" | "metadata">;

/** Creates an assistant, or a new version of `assistant` if it is given. A new version contains only the changed fields. */
export function useSave(
  assistant: Assistant | undefined,
  onDone: (assistant: Assistant) => void,
): UseMutationResult<Assistant, Error, AssistantFields> {
  return useMutation({
    mutationFn: (fields) => {
      if (!assistant) return answerOf(api.POST("/assistants", { body: fields }));
      const params = { path: { assistantId: assistant.assistant_id } };
      return answerOf(api.PATCH("/assistants/{assistantId}", { params, body: changesOf(assistant, fields) }));
    },
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: ["assistants"] });
      tell(assistant ? `Version ${saved.version} is the latest.` : `${saved.name} was created.`);
      onDone(saved);
    },
  });
}

function changesOf(assistant: Assistant, fields: AssistantFields): Partial<AssistantFields> {
  const isSame = (name: keyof AssistantFields) => JSON.stringify(fields[name]) === JSON.stringify(assistant[name]);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isSame(name as keyof AssistantFields)));
}
