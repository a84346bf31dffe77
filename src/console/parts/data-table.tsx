import type { ReactNode } from "react";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  isNumber?: boolean;
  /** Whether the column is left out on a narrow screen. */
  isWideOnly?: boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
}

/** A table for at most some dozens of rows. Use `VirtualList` for longer lists. */
export function DataTable<Row>({ label, columns, rows, keyOf }: Props<Row>) {
  const look = ({ isNumber, isWideOnly }: Column<Row>) =>
    `px-3 py-2 ${isNumber ? "text-right" : "text-left"} ${isWideOnly ? "hidden md:table-cell" : ""}`;
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table aria-label={label} className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line text-xs text-muted">
            {columns.map((column) => (
              <th key={column.title} scope="col" className={`${look(column)} font-medium`}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="border-b border-line last:border-b-0">
              {columns.map((column) => (
                <td key={column.title} className={look(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
