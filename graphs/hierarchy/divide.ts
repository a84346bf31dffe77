/**
 * Divides workers among squads, one worker at a time in turn. If there are enough workers, each squad gets at least one. No squad gets more
 * than it wants, and the sum does not exceed `total`.
 */
export function divide(total: number, wanted: (number | undefined)[]): number[] {
  let left = total;
  const parts = wanted.map(() => 0);
  const isShort = (index: number) => (parts[index] ?? 0) < (wanted[index] ?? total);
  while (left > 0 && wanted.some((_, index) => isShort(index))) {
    for (const index of wanted.keys()) {
      if (left === 0 || !isShort(index)) continue;
      parts[index] = (parts[index] ?? 0) + 1;
      left--;
    }
  }
  return parts;
}
