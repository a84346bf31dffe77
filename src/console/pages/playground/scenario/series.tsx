/** How the lines of several scenarios differ: by colour and by dashes, so that nobody needs the colours. */
export const looks = [
  { colour: "var(--accent)", dash: undefined },
  { colour: "var(--text)", dash: "6 4" },
  { colour: "var(--muted)", dash: "2 3" },
];

export const lookOf = (index: number) => looks[index % looks.length] ?? { colour: "var(--accent)", dash: undefined };

/** The sample of a line beside a name. */
export function Sample({ index }: { index: number }) {
  const { colour, dash } = lookOf(index);
  return (
    <svg viewBox="0 0 20 8" className="h-2 w-5 shrink-0" aria-hidden="true">
      <line x1="0" y1="4" x2="20" y2="4" stroke={colour} strokeWidth="2" {...(dash && { strokeDasharray: dash })} />
    </svg>
  );
}
