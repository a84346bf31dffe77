import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** A child process of the benchmark. It answers the questions of its parent. */
export interface Child {
  readonly pid: number;
  ask<Schema extends z.ZodType>(question: object, answer: Schema): Promise<z.output<Schema>>;
  stop(): Promise<void>;
}

const Reply = z.object({ number: z.number(), answer: z.unknown(), error: z.string().optional() });
const Question = z.object({ number: z.number(), question: z.unknown() });
const answerTimeoutMs = 300_000;

type Waiting = Map<number, PromiseWithResolvers<unknown>>;

/** Starts a child process. The child receives `argument` as JSON, as the last argument on its command line. */
export function startChild(file: URL, argument: object, flags: string[] = []): Child {
  const child = fork(fileURLToPath(file), [JSON.stringify(argument)], { execArgv: flags, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const waiting: Waiting = new Map();
  listenTo(child, waiting);
  let asked = 0;
  return {
    pid: child.pid ?? 0,
    async ask(question, answer) {
      const number = asked++;
      const reply = Promise.withResolvers<unknown>();
      waiting.set(number, reply);
      const timer = setTimeout(() => reply.reject(new Error(`${fileURLToPath(file)} did not answer in time.`)), answerTimeoutMs);
      child.send({ number, question });
      return answer.parse(
        await reply.promise.finally(() => {
          clearTimeout(timer);
          waiting.delete(number);
        }),
      );
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL"); // the child holds no data that is still needed
      await exited;
    },
  };
}

function listenTo(child: ChildProcess, waiting: Waiting): void {
  child.on("message", (message) => {
    const { number, answer, error } = Reply.parse(message);
    const question = waiting.get(number);
    if (error === undefined) question?.resolve(answer);
    else question?.reject(new Error(error));
  });
  child.on("exit", () => {
    for (const question of waiting.values()) question.reject(new Error("The process ended before it had answered."));
  });
}

/** Answers the parent's questions until the parent is gone. Called in the child process. */
export function answerParent(answer: (question: unknown) => Promise<unknown>): void {
  process.on("message", (message) => {
    const { number, question } = Question.parse(message);
    answer(question)
      .then((answer) => process.send?.({ number, answer }))
      .catch((error) => process.send?.({ number, error: String(error?.stack ?? error) }));
  });
  process.on("disconnect", () => process.exit());
}

/** Returns the argument that the parent passed. */
export const argumentOfParent = (): unknown => JSON.parse(process.argv.at(-1) ?? "null");
