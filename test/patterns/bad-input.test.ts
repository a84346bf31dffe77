import { expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
const twins = [1, 2].map(() => ({ name: "x", role: "a reviewer" }));
const task = { task: "Review the code" };
const listed = (id: string, ...blockedBy: string[]) => ({ id, subject: `task ${id}`, blockedBy });
const long = "word ".repeat(2_000_000);

test.each([
  ["supervisor", { input: {} }, "input.task"],
  ["supervisor", { input: { task: " \n" } }, "input.task"],
  ["supervisor", { input: { task: long } }, "input.task"],
  ["supervisor", { input: { ...task, input: { long } } }, "input.input"],
  ["supervisor", { input: task, context: { roster: twins } }, "context.roster[1].name"],
  ["supervisor", { input: task, context: { budget: { tokens: -1 } } }, "context.budget.tokens"],
  ["supervisor", { input: task, context: { cache: { ttlSeconds: 60 } } }, "context.cache"],
  ["plan-execute", { input: { task: "" } }, "input.task"],
  ["reflect", { input: task, context: { maxRounds: 0 } }, "context.maxRounds"],
  ["plan-execute", { input: { messages: [{ role: "assistant", content: "Hello" }] } }, "input.task"],
  ["plan-execute", { input: { taks: "Do" } }, 'input.taks: unknown key; did you mean "task"?'],
  ["plan-execute", { input: task, context: { limits: { paralel: 2 } } }, 'context.limits.paralel: unknown key; did you mean "parallel"?'],
  ["reflect", { input: task, context: { budget: { dollars: 1 }, models: { judge: "unheard-of" } } }, "context.budget.dollars"],
  ["chat", { input: { messages: [] }, context: { modell: "x" } }, 'context.modell: unknown key; did you mean "model"?'],
  ["react", { input: { messages: [], steps: [] } }, "input.steps: unknown key"],
  ["react", { input: { messages: [] }, context: { tools: ["teleport"] } }, "context.tools[0]"],
  ["react", { input: { messages: [] }, context: { askTimeoutSeconds: 0 } }, "context.askTimeoutSeconds"],
  ["scenario", { input: { scenarios: [{ name: "constructor" }] } }, "input.scenarios[0].name"],
  ["scenario", { input: { skill: "juggling" } }, "input.skill"],
  ["scenario", { input: { scenarios: [{ name: "none", inputSize: 0 }] } }, "input.scenarios[0].inputSize"],
  ["group-chat", { input: {} }, "input.task"],
  ["group-chat", { input: task, context: { participants: twins } }, "context.participants[1].name"],
  ["group-chat", { input: task, context: { participants: twins.slice(1) } }, "context.participants"],
  ["group-chat", { input: task, context: { termination: { text: "DONE" } } }, "context.termination: nothing bounds the conversation"],
  ["group-chat", { input: task, context: { termination: { and: [{ text: "DONE" }, { maxMessages: 3 }] } } }, "context.termination"],
  ["group-chat", { input: task, context: { termination: { or: [{ maxMesages: 3 }] } } }, "context.termination.or[0].maxMesages"],
  ["group-chat", { input: task, context: { termination: { maxMessages: 3, maxTokens: 3 } } }, "context.termination"],
  [
    "group-chat",
    { input: task, context: { termination: { or: [{ maxMessages: 3 }, { text: "a", by: "eve" }] } } },
    "context.termination.or[1].by",
  ],
  ["group-chat", { input: task, context: { selector: { candidates: { planner: ["eve"] } } } }, "context.selector.candidates.planner[0]"],
  ["group-chat", { input: task, context: { budget: { dollars: 1 }, selector: { model: "unheard-of" } } }, "context.budget.dollars"],
  ["group-chat", { input: task, context: { speeker: "selector" } }, 'context.speeker: unknown key; did you mean "speakers"?'],
  ["swarm", { input: {} }, "input.task"],
  ["swarm", { input: task, context: { agents: twins } }, "context.agents[1].name"],
  ["swarm", { input: task, context: { agents: [{ ...twins[0], handoffs: [{ to: "y" }] }] } }, "context.agents[0].handoffs[0].to"],
  ["swarm", { input: task, context: { agents: [{ ...twins[0], handoffs: [{ to: "x" }] }] } }, "context.agents[0].handoffs[0].to"],
  ["swarm", { input: task, context: { agents: [{ ...twins[0], handoffs: [{ too: "x" }] }] } }, "context.agents[0].handoffs[0].to"],
  ["swarm", { input: task, context: { entry: "nobody" } }, "context.entry"],
  [
    "swarm",
    { input: task, context: { termination: { or: [{ handoffTo: "nobody" }, { maxMessages: 2 }] } } },
    "context.termination.or[0].handoffTo",
  ],
  ["swarm", { input: task, context: { maxHandoffs: -1 } }, "context.maxHandoffs"],
  ["panel", { input: { question: "Go?", balot: {} } }, 'input.balot: unknown key; did you mean "ballot"?'],
  ["panel", { input: task, context: { treshold: 1 } }, 'context.treshold: unknown key; did you mean "threshold"?'],
  ["panel", { input: {} }, "input.task"],
  ["panel", { input: { question: "" } }, "input.question"],
  ["panel", { input: { ...task, ballot: { options: ["go"] } } }, "input.ballot.options"],
  ["panel", { input: { ...task, ballot: { scale: { min: 5, max: 1 } } } }, "input.ballot.scale"],
  ["panel", { input: task, context: { experts: [...twins, twins[0]] } }, "context.experts[1].name"],
  ["panel", { input: task, context: { experts: ["a", "b", "c"].map((name) => ({ name, role: "x" })) } }, "context.experts[1].role"],
  ["panel", { input: task, context: { experts: twins } }, "context.experts"],
  ["panel", { input: task, context: { threshold: "most" } }, "context.threshold"],
  ["panel", { input: task, context: { onSplit: "vote", tieBreak: "nobody" } }, "context.tieBreak"],
  ["debate", { input: {} }, "input.task"],
  ["debate", { input: task, context: { rounds: 6 } }, "context.rounds"],
  ["debate", { input: task, context: { experts: [twins[0]] } }, "context.experts"],
  ["debate", { input: task, context: { ruling: "dice" } }, "context.ruling"],
  ["team", { input: {} }, "input.task"],
  ["team", { input: { ...task, tasks: [listed("a", "b"), listed("b", "a")] } }, "input.tasks[0].blockedBy"],
  ["team", { input: { ...task, tasks: [listed("a"), listed("b", "c")] } }, "input.tasks[1].blockedBy"],
  ["team", { input: { ...task, tasks: [listed("a"), listed("a")] } }, "input.tasks[1].id"],
  ["team", { input: { ...task, tasks: [{ id: "a" }] } }, "input.tasks[0].subject"],
  ["team", { input: task, context: { members: twins } }, "context.members[1].name"],
  ["team", { input: task, context: { topology: "ring" } }, "context.topology"],
  ["team", { input: task, context: { maxBroadcasts: -1 } }, "context.maxBroadcasts"],
])("%s: what it cannot work with is refused before anything runs (%#)", async (graph, payload, field) => {
  const detail = field.includes(": ") ? field.replaceAll('"', '\\"') : `${field}: `;
  await expect(client.runs.wait(null, graph, payload)).rejects.toThrow(`HTTP 422: {"detail":"${detail}`);
  expect(model.requests).toEqual([]);
});
