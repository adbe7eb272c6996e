/** The distribution of some values. */
export interface Spread {
  min: number;
  q1: number;
  median: number;
  q3: number;
  max: number;
}

/** @throws {RangeError} if there are no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('There are no values.');
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: quantile(sorted, 0),
    q1: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    q3: quantile(sorted, 0.75),
    max: quantile(sorted, 1),
  };
}

/** With linear interpolation between the two nearest values. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]] as [number, number];
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * The spread of the medians of the starts. The same code may cost more in one process than in the
 * next, for as long as both live; a median of all rounds would hide that.
 */
export function spreadOfStarts<Round>(
  starts: readonly (readonly Round[])[],
  value: (round: Round) => number,
): Spread {
  return spread(starts.map((rounds) => spread(rounds.map(value)).median));
}

/** The list, starting at another place: who is first in one round is last in the next. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
