import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { safeJson } from "./clean.ts";
import { outline } from "./outline.ts";
import { type OpenQuestion, Question, showQuestion } from "./questions.ts";
import type { Screen } from "./screen.ts";

/** The person at the terminal. `answer` returns each answer under the id of its question, or undefined if the person leaves instead. */
export interface Person {
  answer(questions: OpenQuestion[]): Promise<Record<string, unknown> | undefined>;
}

/** Thrown if the person leaves with Ctrl-C or Ctrl-D instead of answering a question. */
class Left extends Error {}

type Ask = (prompt: string, prefilled?: string) => Promise<string>;

/** Returns a person who answers questions at a terminal, one question at a time. */
export function openPrompt(input: Readable, output: Writable, screen: Screen): Person {
  return {
    async answer(questions) {
      const lines = createInterface({ input, output, terminal: "isTTY" in output && output.isTTY === true });
      const ask = askThrough(lines);
      try {
        const answers: Record<string, unknown> = {};
        for (const { id, value } of questions) answers[id] = await answerOne(value, screen, ask);
        return answers;
      } catch (error) {
        if (error instanceof Left) return undefined;
        throw error;
      } finally {
        lines.close();
      }
    },
  };
}

/**
 * Returns a function that asks for one line. Lines that arrive before a question is asked, such as pasted or piped text, answer the
 * questions that follow.
 */
function askThrough(lines: Interface): Ask {
  const buffered: string[] = [];
  let waiting: PromiseWithResolvers<string> | undefined;
  let left = false;
  lines.on("line", (line) => {
    if (waiting) waiting.resolve(line);
    else buffered.push(line);
    waiting = undefined;
  });
  const leave = () => {
    left = true;
    waiting?.reject(new Left());
  };
  lines.on("close", leave);
  lines.on("SIGINT", leave);
  return (prompt, prefilled) => {
    if (!left) {
      lines.setPrompt(prompt);
      lines.prompt();
      // only on a terminal, because elsewhere the prefilled text would count as the person's input
      if (prefilled && lines.terminal) lines.write(prefilled);
    }
    const line = buffered.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (left) return Promise.reject(new Left());
    waiting = Promise.withResolvers();
    return waiting.promise;
  };
}

function answerOne(value: unknown, screen: Screen, ask: Ask): Promise<unknown> {
  showQuestion(screen, value);
  const question = Question.safeParse(value);
  if (!question.success) return askJson(screen, ask, "JSON> ");
  const { type, details } = question.data;
  if (type === "approval") {
    const { action_requests: calls = [] } = question.data;
    return calls.length > 1 && Array.isArray(details) ? askApprovals(details, screen, ask) : askApproval(details, screen, ask);
  }
  if (type === "selection") return askChoice(question.data.options, screen, ask);
  return ask("> ");
}

/** Asks the person to approve several calls, one after another. */
async function askApprovals(calls: unknown[], screen: Screen, ask: Ask): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [index, call] of calls.entries()) {
    screen.line(["bold", `${index + 1} of ${calls.length}`], "\n", outline(call, "  "));
    answers.push(await askApproval(call, screen, ask));
  }
  return answers;
}

/** Asks the person to approve a call. The person may answer yes, no with a reason, or yes with changes. */
async function askApproval(details: unknown, screen: Screen, ask: Ask): Promise<unknown> {
  for (;;) {
    const [word = "", ...rest] = (await ask("y, n [reason] or e to edit> ")).trim().split(/\s+/);
    if (/^y(es)?$/i.test(word)) return { approved: true };
    if (/^no?$/i.test(word)) return rest.length > 0 ? { approved: false, reason: rest.join(" ") } : { approved: false };
    if (/^e(dit)?$/i.test(word)) return { approved: true, edited: await askJson(screen, ask, "edit> ", safeJson(editable(details))) };
    screen.line(["dim", "Answer y, n or e."]);
  }
}

const Call = z.looseObject({ args: z.record(z.string(), z.unknown()) });

/**
 * Returns the part of the question's details that the person may edit. If the details are a tool call, this part is the arguments of the
 * call. Otherwise, it is all details.
 */
function editable(details: unknown): unknown {
  const call = Call.safeParse(details);
  return call.success ? call.data.args : (details ?? {});
}

async function askChoice(options: string[], screen: Screen, ask: Ask): Promise<string> {
  for (;;) {
    const answer = (await ask(`1–${options.length}> `)).trim();
    const chosen = options.find((option) => option === answer) ?? options[Number(answer) - 1];
    if (chosen !== undefined) return chosen;
    screen.line(["dim", "Answer with the number of an option."]);
  }
}

async function askJson(screen: Screen, ask: Ask, prompt: string, prefilled?: string): Promise<unknown> {
  for (;;) {
    const text = await ask(prompt, prefilled);
    try {
      return JSON.parse(text);
    } catch {
      screen.line(["dim", 'That is not JSON. Write a text in quotes: "like this".']);
    }
  }
}
