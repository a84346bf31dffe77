import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { effect, reportDeadLetter } from "ensemble";

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  secret: Annotation<string>(),
  bytes: Annotation<Uint8Array>(),
  large: Annotation<string>(),
  answer: Annotation<unknown>(),
});

const Question = Annotation.Root({ secret: Annotation<string>(), answer: Annotation<unknown>() });

/** Puts the secret wherever a node can put a value. */
async function confide({ secret }: typeof State.State, config: LangGraphRunnableConfig) {
  await config.store?.put(["secrets"], "one", { text: secret, topic_id: "t1" });
  const told = await effect(config, "tell", () => `told ${secret}`);
  config.writer?.({ whispered: secret });
  reportDeadLetter(config, { item: "part", input: { secret }, context: { tone: secret }, error: { message: `lost ${secret}` } });
  const history = Array.from({ length: 20 }, (_, index) => new HumanMessage({ id: `h${index}`, content: `${index}: ${secret}` }));
  return {
    messages: [...history, new AIMessage({ id: "told", content: told })] as BaseMessage[],
    large: `${secret}${"-".repeat(20_000)}`,
  };
}

/** Asks, and asks once more if the run has a tone. The second question replaces the first one among the stored writes. */
const ask = ({ secret }: typeof Question.State, { configurable }: LangGraphRunnableConfig) => {
  const answer = interrupt({ question: `What about ${secret}?` });
  if (configurable?.tone) interrupt({ question: `Really, ${secret}?` });
  return { answer };
};

const ponder = ({ answer }: typeof State.State) => ({ messages: [new AIMessage(`Answered: ${JSON.stringify(answer)}`)] });

/** A graph that stores a secret in many ways, and asks a question about it. */
export const graph = new StateGraph(State)
  .addNode("confide", confide)
  .addNode("ask", new StateGraph(Question).addNode("inner", ask).addEdge(START, "inner").addEdge("inner", END).compile())
  .addNode("ponder", ponder, { cachePolicy: { keyFunc: () => "ponder" } })
  .addEdge(START, "confide")
  .addEdge("confide", "ask")
  .addEdge("ask", "ponder")
  .addEdge("ponder", END)
  .compile();

/** A graph that stores the secret as bytes, and then tells it in its error. */
export const failing = new StateGraph(State)
  .addNode("write", ({ secret }) => ({ bytes: new TextEncoder().encode(secret) }))
  .addNode("blurt", ({ secret }) => {
    throw new Error(`I must not tell ${secret}`);
  })
  .addEdge(START, "write")
  .addEdge("write", "blurt")
  .addEdge("blurt", END)
  .compile();
