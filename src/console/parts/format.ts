const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Returns a number as text, with separators between thousands. */
export const number = (value: number): string => whole.format(value);

/** Returns a number of bytes as text, such as "12.3 MB". */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const amount = value / 1_000 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`;
}

/** Returns the last 8 characters of an id. The ids of runs begin with a time, so only their ends tell them apart. */
export const shortId = (id: string): string => id.slice(-8);

export const plural = (amount: number, one: string, many = `${one}s`): string => `${number(amount)} ${amount === 1 ? one : many}`;
