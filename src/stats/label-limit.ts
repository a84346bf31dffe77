/** The name under which an agent is counted if the process already counts too many agents by their own names. */
export const otherAgents = "other";
const longestName = 200;

/**
 * Returns a function that gives each agent the name under which it is counted. Callers choose the names of agents, so only the first `most`
 * agents of a process are counted by name. All later agents are counted as "other".
 */
export function agentNames(most = 200): (graphId: string, agent: string) => string {
  const known = new Set<string>();
  return (graphId, agent) => {
    const name = agent.replaceAll("\0", "\ufffd").toWellFormed().slice(0, longestName).toWellFormed();
    const key = JSON.stringify([graphId, name]);
    if (!known.has(key) && known.size >= most) return otherAgents;
    known.add(key);
    return name;
  };
}
