import { Annotation, END, interrupt, Send, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";

interface Question {
  prompt: string;
  timeoutSeconds?: unknown;
  /** The JSON schema of an answer. */
  schema?: object;
  /** The same in zod, which LangGraph holds against the answer itself. */
  form?: boolean;
  /** Asked by the same node when the first was answered. */
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

/** Asks everything at once that it is told to ask. */
export const graph = new StateGraph(State)
  .addNode("ask", (question: Question, config) => ({ answers: ask(question), context: config.context }), {
    input: Annotation.Root({ prompt: Annotation<string>() }) as never,
  })
  .addConditionalEdges(START, ({ questions }) => questions.map((question) => new Send("ask", question)), ["ask"])
  .addEdge("ask", END)
  .compile();
