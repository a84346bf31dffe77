/** The result of one check of `ensemble doctor`. */
export interface Finding {
  state: "ok" | "warning" | "problem";
  /** The subject of the check, such as "Node". */
  about: string;
  /** The result of the check, as a sentence or a few words. */
  fact: string;
  /** The advice to the person. Undefined if there is nothing to do. */
  advice?: string;
}

export const ok = (about: string, fact: string): Finding => ({ state: "ok", about, fact });
export const warning = (about: string, fact: string, advice: string): Finding => ({ state: "warning", about, fact, advice });
export const problem = (about: string, fact: string, advice: string): Finding => ({ state: "problem", about, fact, advice });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
