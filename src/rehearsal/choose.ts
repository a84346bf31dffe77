import { readLabelled } from "./labelled.ts";
import { workIsLeft } from "./material.ts";
import { type Filling, fieldWords, nameWords, type Place } from "./place.ts";
import { best, overlap, wordsOf } from "./words.ts";

const ending = new Set(
  wordsOf("finish finished done complete completed end stop accept accepted approve approved answer valid pass ok success final"),
);
const continuation = new Set(wordsOf("continue proceed next go_on keep"));
const trouble = new Set(
  wordsOf(
    "problem error fail failed failure conflict contradict contradiction gap missing invalid violation broken wrong dissent retry revise revision reassign reject rejected blocked",
  ),
);
const affirming = new Set(
  wordsOf("valid ok pass passed success successful correct complete done finished approved acceptable enough sufficient safe"),
);

/** Tells whether a field is about things that went wrong. Nothing did, unless the prompt says so. */
export const isAboutTrouble = (place: Place): boolean => overlap(nameWords(place), trouble) > 0;

/** Returns the option whose words fit best. The field's own text counts most, then its part of the prompt, then the task. */
export function chooseOption<Value>(
  options: Value[],
  textFor: (option: Value) => string,
  place: Place,
  filling: Filling,
): Value | undefined {
  const { material } = filling;
  const labelledWords = new Set(wordsOf(String(readLabelled(place, material) ?? "")));
  const about = new Set(wordsOf(place.about));
  const focus = new Set(wordsOf(place.focus?.name ?? ""));
  const preferred = workIsLeft(material) ? continuation : ending;
  return best(options, (option) => {
    const words = wordsOf(textFor(option));
    const fit =
      20 * overlap(words, focus) + 8 * overlap(words, labelledWords) + 3 * overlap(words, about) + 2 * overlap(words, material.taskWords);
    return fit + 0.5 * Math.sign(overlap(words, preferred)) - 0.5 * Math.sign(overlap(words, trouble));
  });
}

/** Returns true unless the prompt says otherwise, or true would mean a problem or endless work. */
export function chooseBoolean(place: Place, { material }: Filling): boolean {
  const labelled = readLabelled(place, material);
  if (labelled !== undefined) return !/^(?:no|not|false|0|none|never)\b/i.test(String(labelled));
  const words = nameWords(place);
  if (overlap(words, trouble) > 0) return false;
  if (overlap(words, continuation) > 0) return workIsLeft(material);
  if (overlap(words, ending) > 0) return !workIsLeft(material);
  if (overlap(words, affirming) > 0) return true;
  return overlap(fieldWords(place), new Set([...material.taskWords, ...wordsOf(place.about)])) > 0;
}
