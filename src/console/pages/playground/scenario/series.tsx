/**
 * The styles of the lines that stand for scenarios in a chart. They differ in colour and in dashes, so that people who cannot tell the
 * colours apart see the difference.
 */
export const looks = [
  { colour: "var(--accent)", dash: undefined },
  { colour: "var(--text)", dash: "6 4" },
  { colour: "var(--muted)", dash: "2 3" },
];

export const lookOf = (index: number) => looks[index % looks.length] ?? { colour: "var(--accent)", dash: undefined };

/** A short sample of a scenario's line, for a legend. */
export function Sample({ index }: { index: number }) {
  const { colour, dash } = lookOf(index);
  return (
    <svg viewBox="0 0 20 8" className="h-2 w-5 shrink-0" aria-hidden="true">
      <line x1="0" y1="4" x2="20" y2="4" stroke={colour} strokeWidth="2" {...(dash && { strokeDasharray: dash })} />
    </svg>
  );
}
