import { Counter, Histogram, type Registry } from "prom-client";

/** A finished call of an agent. */
export interface AgentCall {
  graph: string;
  agent: string;
  outcome: string;
  seconds: number;
  inputTokens: number;
  outputTokens: number;
  retries: number;
  isRecovery: boolean;
}

/** Records the agent calls of one worker's runs. */
export interface AgentMetrics {
  called(call: AgentCall): void;
  waited(graph: string, agent: string, seconds: number): void;
  stalled(graph: string, agent: string, state: string): void;
  conflicted(graph: string, conflicts: number): void;
}

const durations = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** Registers the metrics of agents. The caller must limit the number of different agent names, because each name adds time series. */
export function agentMetrics(registry: Registry): AgentMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `ensemble_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name: `ensemble_${name}`, help, labelNames, buckets: durations, registers });
  const ofAgent = ["graph", "agent"];

  const calls = counter("agent_calls_total", "Calls of agents that ended on this worker", [...ofAgent, "outcome"]);
  const lengths = histogram("agent_call_seconds", "How long calls of agents took", [...ofAgent, "outcome"]);
  const waits = histogram("agent_wait_seconds", "How long calls of agents waited for resources, if they had to", ofAgent);
  const tokens = counter("agent_tokens_total", "Tokens that agents sent and received", [...ofAgent, "direction"]);
  const retries = counter("agent_retries_total", "Requests to models after the first one of a call", ofAgent);
  const recoveries = counter("agent_recoveries_total", "Calls that succeeded after calls of the same agent in the run had failed", ofAgent);
  const stalls = counter("agent_stalls_total", "Runs that stalled because of an agent: slow if tokens still came, else dead", [
    ...ofAgent,
    "state",
  ]);
  const conflicts = counter("conflicts_total", "Contradictions between findings in runs of a pattern", ["graph"]);

  return {
    called({ graph, agent, outcome, seconds, inputTokens, outputTokens, ...call }) {
      calls.inc({ graph, agent, outcome });
      lengths.observe({ graph, agent, outcome }, seconds);
      tokens.inc({ graph, agent, direction: "input" }, inputTokens);
      tokens.inc({ graph, agent, direction: "output" }, outputTokens);
      if (call.retries > 0) retries.inc({ graph, agent }, call.retries);
      if (call.isRecovery) recoveries.inc({ graph, agent });
    },
    waited: (graph, agent, seconds) => waits.observe({ graph, agent }, seconds),
    stalled: (graph, agent, state) => stalls.inc({ graph, agent, state }),
    conflicted: (graph, count) => conflicts.inc({ graph }, count),
  };
}
