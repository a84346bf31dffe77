import { Annotation, END, interrupt, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  answers: Annotation<unknown[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

const ask = (key: string, method: string, params: object) => () => ({ answers: [interrupt({ key, method, params })] });
const elicit = (key: string, message: string, field: string, type = "string") =>
  ask(key, "elicitation/create", {
    message,
    requestedSchema: { type: "object", properties: { [field]: { type } }, required: [field] },
  });
const sample = (key: string, text: string) =>
  ask(key, "sampling/createMessage", { messages: [{ role: "user", content: { type: "text", text } }], maxTokens: 100 });

const asking = (node: ReturnType<typeof ask>) =>
  new StateGraph(State).addNode("ask", node).addEdge(START, "ask").addEdge("ask", END).compile();

export const elicitation = asking(elicit("user_name", "What is your name?", "name"));
export const sampling = asking(sample("capital_question", "What is the capital of France?"));
export const roots = asking(ask("client_roots", "roots/list", {}));
export const confirming = asking(elicit("confirm", "Please confirm", "ok", "boolean"));

export const multiple = new StateGraph(State)
  .addNode("name", elicit("user_name", "What is your name?", "name"))
  .addNode("greeting", sample("greeting", "Generate a greeting"))
  .addNode("roots", ask("client_roots", "roots/list", {}))
  .addEdge(START, "name")
  .addEdge(START, "greeting")
  .addEdge(START, "roots")
  .addNode("join", () => ({}))
  .addEdge(["name", "greeting", "roots"], "join")
  .addEdge("join", END)
  .compile();

export const rounds = new StateGraph(State)
  .addNode("step1", elicit("step1", "Step 1: What is your name?", "name"))
  .addNode("step2", elicit("step2", "Step 2: What is your favorite color?", "color"))
  .addEdge(START, "step1")
  .addEdge("step1", "step2")
  .addEdge("step2", END)
  .compile();
