import { Annotation, END, interrupt, Send, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";

interface Question {
  prompt: string;
  timeoutSeconds?: unknown;
  /** The JSON schema of an answer. */
  schema?: object;
  /** True to give the schema as a zod schema, with which LangGraph also validates the answer. */
  form?: boolean;
  /** The question that the same node asks after the first answer. */
  next?: Question;
}

const State = Annotation.Root({
  questions: Annotation<Question[]>(),
  answers: Annotation<Record<string, unknown>>({ reducer: (all, more) => ({ ...all, ...more }), default: () => ({}) }),
  context: Annotation<unknown>({ reducer: (_, seen) => seen }),
});

const Form = z.object({ age: z.number().int().positive(), name: z.string().default("nobody") });

function ask({ schema, form, next, ...question }: Question): Record<string, unknown> {
  const responseSchema = form ? Form : schema;
  const answer: unknown = interrupt({ type: "input", ...question }, responseSchema && { responseSchema });
  return { [question.prompt]: answer, ...(next && ask(next)) };
}

/** A graph that asks all given questions at once. */
export const graph = new StateGraph(State)
  .addNode("ask", (question: Question, config) => ({ answers: ask(question), context: config.context }), {
    input: Annotation.Root({ prompt: Annotation<string>() }) as never,
  })
  .addConditionalEdges(START, ({ questions }) => questions.map((question) => new Send("ask", question)), ["ask"])
  .addEdge("ask", END)
  .compile();
