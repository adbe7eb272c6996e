import { loadavg } from 'node:os';
import type { Spread } from './statistics.js';

/** Above this load, something else is running, and no goal is judged. */
const MAX_LOAD = 0.5;

/** The load average of the machine in the minute before this benchmark. */
export const LOAD = loadavg()[0] ?? 0;

/** Shows progress on standard error; not part of the report. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** For a goal in a report. */
export function verdict(isMet: boolean): string {
  if (LOAD > MAX_LOAD) return `not judged: load ${LOAD.toFixed(1)}`;
  return isMet ? 'met' : 'MISSED';
}

/** Two cells: a goal for the worst start, and whether it is met. */
export function atMost({ max }: Spread, goal: number): [string, string] {
  return [`<= ${goal.toFixed(2)}x`, verdict(max <= goal)];
}

/** The same for a goal that is a minimum. */
export function atLeast({ min }: Spread, goal: number): [string, string] {
  return [`>= ${goal.toFixed(2)}x`, verdict(min >= goal)];
}

/** Three cells: the median, the quartiles, and the extremes. */
export function cells(values: Spread, digits: number, unit = ''): string[] {
  const { median, q1, q3, min, max } = values;
  const [middle, low, high, least, most] = [median, q1, q3, min, max].map((value) =>
    value.toFixed(digits),
  );
  return [`${middle}${unit}`, `${low} to ${high}`, `${least} to ${most}`];
}

/** The headings of {@link cells}. */
export const SPREAD_TITLES = ['median', 'quartiles', 'extremes'];

/** Right-aligned cells. */
const NUMBER = /^([<>]= )?\d/;

/** Rows as indented lines, in aligned columns; a heading is aligned like the cells below it. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ''));
  const padded = columns.map((column) => {
    const width = Math.max(...column.map(({ length }) => length));
    const isNumber = NUMBER.test(column.at(-1) ?? '');
    return column.map((cell) => (isNumber ? cell.padStart(width) : cell.padEnd(width)));
  });
  return rows
    .map((_, row) => `  ${padded.map((column) => column[row]).join('  ')}`.trimEnd())
    .join('\n');
}
