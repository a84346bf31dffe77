import type { ReactNode } from "react";
import { number } from "../../../parts/format.ts";
import { Tag } from "../../../parts/status.tsx";
import { duration } from "../../../parts/time.tsx";
import { dollars, type LedgerRow, totalOf } from "./ledger.ts";

const columns = ["Calls", "Input", "Output", "Dollars", "Time"];

interface Props {
  rows: LedgerRow[];
  /** True if the table is inside another frame, so that it needs none of its own. */
  isFlat?: boolean;
}

/** Shows the cost of each agent so far, and the totals. They come from the ledger in which Ensemble's graphs record every model call. */
export function LedgerTable({ rows, isFlat = false }: Props) {
  const total = totalOf(rows);
  return (
    <div
      className={`overflow-x-auto ${isFlat ? "" : "rounded-lg border border-line bg-surface"}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the table scrolls on narrow screens, so the keyboard must reach it
      tabIndex={0}
      role="region"
      aria-label="Ledger by agent"
    >
      <table aria-label="Ledger" className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-b border-line text-xs text-muted">
            <Head>Agent</Head>
            <Head>Model</Head>
            {columns.map((title) => (
              <Head key={title} isNumber>
                {title}
              </Head>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.agent}\n${row.model}`} className="border-b border-line">
              <td className="px-3 py-1.5 font-medium">
                {row.agent} {row.failed > 0 && <Tag tone="bad">{row.failed} failed</Tag>}
              </td>
              <td className="px-3 py-1.5 text-muted">{row.model}</td>
              <Amounts {...row} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="font-medium">
            <th scope="row" colSpan={2} className="px-3 py-1.5 text-left font-medium">
              Total
            </th>
            <Amounts {...total} />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

const Head = ({ isNumber, children }: { isNumber?: boolean; children: ReactNode }) => (
  <th scope="col" className={`px-3 py-1.5 font-medium whitespace-nowrap ${isNumber ? "text-right" : "text-left"}`}>
    {children}
  </th>
);

function Amounts({ calls, inputTokens, outputTokens, dollars: cost, elapsedMs }: Omit<LedgerRow, "agent" | "model">) {
  const cells = [number(calls), number(inputTokens), number(outputTokens), dollars(cost), duration(elapsedMs)];
  return cells.map((cell, index) => (
    <td key={columns[index]} className="px-3 py-1.5 text-right whitespace-nowrap">
      {cell}
    </td>
  ));
}
