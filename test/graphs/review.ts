import { Annotation, END, interrupt, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  topic: Annotation<string>(),
  draft: Annotation<string>(),
  published: Annotation<string | null>(),
  asked: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }),
});

const write = ({ topic }: typeof State.State) => ({ draft: `On ${topic}` });

const review = ({ draft }: typeof State.State) => {
  const answer: { approved: boolean } = interrupt({ draft });
  return { asked: 1, published: answer.approved ? draft : null };
};

/** A graph that writes a draft, asks a person, and publishes. */
export const graph = new StateGraph(State)
  .addNode("write", write)
  .addNode("review", review)
  .addEdge(START, "write")
  .addEdge("write", "review")
  .addEdge("review", END)
  .compile();
