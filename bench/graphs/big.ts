import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
/** A megabyte that does not compress to nothing; each rewriting differs from the one before. */
const megabyte = Array.from({ length: 1_048_576 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");

const State = Annotation.Root({ document: Annotation<string>(), step: Annotation<number>() });

/** Five nodes after one that makes the document; they rewrite it or leave it alone. */
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
