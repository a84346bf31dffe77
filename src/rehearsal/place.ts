import type { Schema } from "./json-schema.ts";
import type { Option } from "./lists.ts";
import type { Material } from "./material.ts";
import { wordsOf } from "./words.ts";

/** An answer in the making. */
export interface Filling {
  material: Material;
  root: Schema;
  /** Whether it is the arguments of a tool: then what the prompt says is taken as it is, not written about. */
  isCall: boolean;
  /** What was said already, so that it is not said twice. */
  used: Set<string>;
  /** The ids given out so far, for fields that refer to them. */
  ids: string[];
}

/** Where in the answer a value goes, and what it is to be about. */
export interface Place {
  name: string;
  /** What the schema says about it. */
  description: string;
  /** The part of the prompt that it is about. */
  about: string;
  /** What of several it is about, where the prompt lists them. */
  focus?: Option;
  path: string;
  depth: number;
  /** In an array: the how-manyeth, from 0. */
  index: number;
}

export const nameWords = ({ name }: Place): string[] => wordsOf(name);
export const fieldWords = ({ name, description }: Place): string[] => wordsOf(`${name} ${description}`);

/** The place of a property of what is at this place. */
export function under(place: Place, name: string, description = ""): Place {
  return { ...place, name, description, path: `${place.path}.${name}`, depth: place.depth + 1 };
}
