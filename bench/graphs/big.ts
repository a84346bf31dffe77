import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
/**
 * Returns random text that is the same in every process. It must be random, because Postgres looks at the first kilobyte of a document to
 * decide whether to compress it.
 */
function chanceText(length: number): string {
  let state = 20_261_120;
  return Array.from({ length }, () => {
    state = (state * 16_807) % 2_147_483_647;
    return letters[state % letters.length];
  }).join("");
}

/** A document of one megabyte that hardly compresses. Each rewrite changes it. */
const megabyte = chanceText(1_048_576);

const State = Annotation.Root({ document: Annotation<string>(), step: Annotation<number>() });

/** Returns a graph with a node that creates the document, and five nodes after it. They rewrite the document or leave it unchanged. */
function fiveNodes(rewrites: boolean) {
  const names = Array.from({ length: 5 }, (_, index) => `n${index}`);
  const builder = new StateGraph(State).addNode("make", () => ({ document: megabyte }));
  const edges = builder as unknown as { addEdge(from: string, to: string): void };
  for (const [step, name] of names.entries()) {
    builder.addNode(name, () => (rewrites ? { step, document: `${step}${megabyte}` } : { step }));
    edges.addEdge(names[step - 1] ?? "make", name);
  }
  edges.addEdge(START, "make");
  edges.addEdge(names.at(-1) ?? START, END);
  return builder.compile();
}

export const kept = fiveNodes(false);
export const rewritten = fiveNodes(true);
