import { type Agent, type AgentData, agent, callingWith, type Limits, type Step, type tierOf, type Workable } from "ensemble/patterns";
import { supervisor } from "../supervisor.ts";
import { delegationTools } from "./delegate.ts";
import { pace } from "./pace.ts";
import type { Equipment } from "./steps.ts";

interface Around {
  agents: AgentData[];
  context: Parameters<typeof tierOf>[0] & { limits: Limits };
}

/** Returns a function that adds to an agent the parts that its task needs: guardrails, a schema, a rate limit, and tools to delegate. */
export function equipping(managerName: string) {
  const managed = supervisor({ name: "managed" });
  return (worker: Agent, { own }: Step, { agents, context }: Around): Agent => {
    const { output, guards, guardRetries, rpm, coworkers, plans, manager } = own as Equipment;
    const others = agents.filter(({ name }) => name !== managerName);
    if (manager) return { ...worker, graph: managerGraph(managed, manager.model, others, context) };
    const { guardrails, output: schema } = agent({
      ...{ name: worker.name, role: worker.role, output },
      ...(guards.length > 0 && { guardrails: { output: guards, maxRetries: guardRetries } }),
    });
    const colleagues = others.filter(({ name }) => coworkers.includes(name));
    return {
      ...{ ...worker, guardrails, output: schema },
      middleware: rpm === undefined ? worker.middleware : [...worker.middleware, pace(worker.name, rpm)],
      tools: plans ? [] : colleagues.length > 0 ? [...worker.tools, ...delegationTools(colleagues, context)] : worker.tools,
    };
  };
}

/** Returns a graph in which a manager divides a task among the agents of the crew. It is a supervisor graph whose leader is the manager. */
function managerGraph(graph: ReturnType<typeof supervisor>, model: string, roster: AgentData[], context: Around["context"]): Workable {
  const { models, limits, budget, allowedHosts, askTimeoutSeconds } = context;
  const leader = { name: "manager", role: "the manager of a crew", model };
  const own = { models, limits, budget, allowedHosts, askTimeoutSeconds, roster, leader };
  return callingWith(graph as unknown as Workable, ({ messages }, config) => [{ messages }, { ...config, context: own }]);
}
