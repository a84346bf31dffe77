import { number } from "../../parts/format.ts";
import { Icon } from "../../parts/icons.tsx";
import { duration } from "../../parts/time.tsx";
import { dollars as money } from "./cost.ts";
import { ancestors, type Drawing } from "./drawing.ts";
import { nodeLooks } from "./node-looks.ts";
import { type NodeFacts, nothing } from "./node-states.ts";

/** The nodes of the graph with their states, as a table. The table shows the same facts as the drawing. */
export function NodeList({ drawing, facts }: { drawing?: Drawing; facts: Map<string, NodeFacts> }) {
  const drawn = (drawing?.nodes ?? []).flatMap(({ id }) => [...ancestors(id), id]).filter((id) => !id.split(":").at(-1)?.startsWith("__"));
  const ids = [...new Set([...drawn, ...facts.keys()])];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the table scrolls, so the keyboard must reach it
    <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label="Nodes of the graph">
      <table className="w-full text-sm">
        <thead className="sticky top-0 bg-surface text-left text-xs text-muted">
          <tr>
            {["Node", "State", "Runs", "Time", "Tokens", "Cost"].map((title, index) => (
              <th key={title} scope="col" className={`border-b border-line px-3 py-1.5 font-medium ${index > 1 ? "text-right" : ""}`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => (
            <NodeRow key={id} id={id} facts={facts.get(id) ?? nothing} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NodeRow({ id, facts: { state, count, ms, tokens, dollars } }: { id: string; facts: NodeFacts }) {
  const { label, icon, text } = nodeLooks[state];
  return (
    <tr className="border-b border-line last:border-b-0">
      <td className="max-w-0 min-w-32 truncate px-3 py-1.5 md:w-1/2" title={id}>
        {id.replaceAll(":", " › ")}
      </td>
      <td className="px-3 py-1.5 whitespace-nowrap">
        <span className={`inline-flex items-center gap-1.5 align-middle ${text}`}>
          <Icon name={icon} className="size-3.5" />
          {label}
        </span>
      </td>
      <td className="px-3 py-1.5 text-right">{count > 0 ? number(count) : "–"}</td>
      <td className="px-3 py-1.5 text-right whitespace-nowrap">{count > 0 ? duration(ms) : "–"}</td>
      <td className="px-3 py-1.5 text-right">{tokens > 0 ? number(tokens) : "–"}</td>
      <td className="px-3 py-1.5 text-right whitespace-nowrap">{dollars > 0 ? money(dollars) : "–"}</td>
    </tr>
  );
}
