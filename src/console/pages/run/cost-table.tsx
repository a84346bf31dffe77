import { DataTable } from "../../parts/data-table.tsx";
import { number } from "../../parts/format.ts";
import { dollars, type Share, type Spending } from "./cost.ts";

/** Shows the tokens and dollars of each agent, from the ledger of the run. */
export function CostTable({ spending }: { spending: Spending }) {
  return (
    <div className="p-4">
      <DataTable
        label="Cost by agent"
        rows={spending.shares}
        keyOf={(share: Share) => share.agent}
        columns={[
          { title: "Agent", cell: ({ agent }) => agent },
          { title: "Calls", isNumber: true, cell: ({ calls }) => number(calls) },
          { title: "Tokens in", isNumber: true, cell: ({ input }) => number(input) },
          { title: "Tokens out", isNumber: true, cell: ({ output }) => number(output) },
          { title: "Cost", isNumber: true, cell: (share) => dollars(share.dollars) },
        ]}
      />
      <p className="mt-2 text-xs text-muted">By the ledger in the run's state. A model without a price counts as $0.</p>
    </div>
  );
}
