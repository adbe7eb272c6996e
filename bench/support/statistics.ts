/** What the rounds of a measurement gave. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws {RangeError} for no values at all */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) throw new RangeError('There are no values.');
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return { median: middle.reduce((sum, value) => sum + value) / middle.length, min, max };
}

/** The list, begun at another place: whoever goes first in one round goes last in the next. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
