import type { Schema } from "./json-schema.ts";
import type { Option } from "./lists.ts";
import type { Material } from "./material.ts";
import { wordsOf } from "./words.ts";

/** An answer while it is being filled. */
export interface Filling {
  material: Material;
  root: Schema;
  /** Tells whether these are a tool's arguments. Their values are copied from the prompt rather than written about. */
  isCall: boolean;
  /** The texts and numbers that were used already, to avoid repetition. */
  used: Set<string>;
  /** The ids assigned so far, for fields that refer to them. */
  ids: string[];
}

/** The position of a value in the answer, and its subject. */
export interface Place {
  name: string;
  /** The schema's description of the field. */
  description: string;
  /** The part of the prompt that the field is about. */
  about: string;
  /** The option that the field is about, if the prompt lists options. */
  focus?: Option;
  path: string;
  depth: number;
  /** The index in an array, from 0. */
  index: number;
}

export const nameWords = ({ name }: Place): string[] => wordsOf(name);
export const fieldWords = ({ name, description }: Place): string[] => wordsOf(`${name} ${description}`);

/** Returns the place of a property of the value at this place. */
export function under(place: Place, name: string, description = ""): Place {
  return { ...place, name, description, path: `${place.path}.${name}`, depth: place.depth + 1 };
}
