import { readLabelled } from "./labelled.ts";
import { workIsLeft } from "./material.ts";
import { type Filling, fieldWords, nameWords, type Place } from "./place.ts";
import { best, overlap, wordsOf } from "./words.ts";

const ending = new Set(
  wordsOf("finish finished done complete completed end stop accept accepted approve approved answer valid pass ok success final"),
);
const goingOn = new Set(wordsOf("continue proceed next go_on keep"));
const trouble = new Set(
  wordsOf(
    "problem error fail failed failure conflict contradict contradiction gap missing invalid violation broken wrong dissent retry revise revision reassign reject rejected blocked",
  ),
);
const affirming = new Set(
  wordsOf("valid ok pass passed success successful correct complete done finished approved acceptable enough sufficient safe"),
);

/** Whether a field speaks of things that went wrong. Nothing did, unless the prompt says so. */
export const isAboutTrouble = (place: Place): boolean => overlap(nameWords(place), trouble) > 0;

/** The option whose words fit best: what is said of this field counts most, then the part it is about, then the task. */
export function chooseOption<Value>(
  options: Value[],
  textFor: (option: Value) => string,
  place: Place,
  filling: Filling,
): Value | undefined {
  const { material } = filling;
  const said = new Set(wordsOf(String(readLabelled(place, material) ?? "")));
  const about = new Set(wordsOf(place.about));
  const focus = new Set(wordsOf(place.focus?.name ?? ""));
  const preferred = workIsLeft(material) ? goingOn : ending;
  return best(options, (option) => {
    const words = wordsOf(textFor(option));
    const fit = 20 * overlap(words, focus) + 8 * overlap(words, said) + 3 * overlap(words, about) + 2 * overlap(words, material.taskWords);
    return fit + 0.5 * Math.sign(overlap(words, preferred)) - 0.5 * Math.sign(overlap(words, trouble));
  });
}

/** Yes, unless the prompt says otherwise, or yes would mean that something is wrong or that work goes on for ever. */
export function chooseBoolean(place: Place, { material }: Filling): boolean {
  const said = readLabelled(place, material);
  if (said !== undefined) return !/^(?:no|not|false|0|none|never)\b/i.test(String(said));
  const words = nameWords(place);
  if (overlap(words, trouble) > 0) return false;
  if (overlap(words, goingOn) > 0) return workIsLeft(material);
  if (overlap(words, ending) > 0) return !workIsLeft(material);
  if (overlap(words, affirming) > 0) return true;
  return overlap(fieldWords(place), new Set([...material.taskWords, ...wordsOf(place.about)])) > 0;
}
