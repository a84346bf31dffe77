import { oneLine } from "./clean.ts";
import type { Moment } from "./moments.ts";
import type { Screen } from "./screen.ts";

type Token = Extract<Moment, { kind: "token" }>;

interface Utterance {
  path: string[];
  node: string;
  text: string;
  over: boolean;
}

export interface Speech {
  say(token: Token): void;
  /**
   * Ends the texts that models have written in a step, and then calls `tellStep`, which shows the step itself. After that, the waiting
   * texts of other steps are shown.
   */
  end(path: string[], node: string, tellStep: () => void): void;
  endAll(): void;
  hasSaid(text: string): boolean;
}

/** Shows the texts of models as they arrive. If several models write at the same time, one text is shown while the others wait. */
export function startSpeech(screen: Screen): Speech {
  const waiting = new Map<string, Utterance>();
  const said = new Set<string>();
  let floor: Utterance | undefined;

  function say({ message, path, node, text, ends }: Token): void {
    const known = waiting.get(message);
    const utterance = known ?? { path, node, text: "", over: false };
    if (!known && !text) return; // a tool call has no text, and an empty last chunk must not start a new text
    waiting.set(message, utterance);
    utterance.text += text;
    if (floor === utterance) screen.text(text);
    utterance.over ||= ends;
    passOn();
  }

  /** Shows the waiting texts one after another. Stops at a text that is still incomplete, or when no text is left. */
  function passOn(): void {
    while (!floor || floor.over) {
      if (floor) close(floor);
      const [next] = waiting.values();
      if (!next) return;
      floor = next;
      const from = [...next.path, next.node].map(oneLine).join(" › ");
      screen.text(`${from}: ${next.text}`);
    }
  }

  function close(utterance: Utterance): void {
    screen.endText();
    said.add(utterance.text.trim());
    for (const [message, each] of waiting) if (each === utterance) waiting.delete(message);
    floor = undefined;
  }

  function endWhere(isOver: (utterance: Utterance) => boolean, meanwhile = () => {}): void {
    for (const utterance of waiting.values()) if (isOver(utterance)) utterance.over = true;
    if (floor?.over) close(floor);
    meanwhile();
    if (waiting.size > 0) passOn();
  }

  return {
    say,
    end: (path, node, tellStep) => endWhere((utterance) => utterance.node === node && utterance.path.join() === path.join(), tellStep),
    endAll: () => endWhere(() => true),
    hasSaid: (text) => said.has(text.trim()),
  };
}
