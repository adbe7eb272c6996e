import { parseArgs } from 'node:util';
import { table } from './report.js';

/** A flag of a benchmark: a whole number, or several with commas between them. */
export interface Flag {
  help: string;
  /** The default; it decides whether several numbers are allowed. */
  fallback: number | readonly number[];
}

export type Flags = Record<string, Flag>;

/** The value of each flag. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name]['fallback'] extends number ? number : readonly number[];
};

/** One thing to measure. */
export interface Benchmark<F extends Flags = Flags> {
  /** For the list. */
  summary: string;
  flags: F;
  /** Resolves to a report for the terminal, and everything that was measured, for `--json`. */
  run(values: FlagValues<F>): Promise<{ report: string; data: object }>;
}

/** Checks that `run` reads only its own flags. */
export function benchmark<F extends Flags>(definition: Benchmark<F>): Benchmark {
  return definition;
}

/** The flags of a benchmark whose contestants take turns. */
export function turnFlags({ starts = 10, rounds = 3 } = {}) {
  return {
    starts: { help: 'how often everything starts again, in new processes', fallback: starts },
    rounds: { help: 'rounds after each start', fallback: rounds },
    turn: { help: 'milliseconds of a turn', fallback: 1_000 },
    warmUp: { help: 'milliseconds of each contestant before the first round', fallback: 3_000 },
  };
}

/** The command line is wrong; the message says why. */
export class UsageError extends Error {}

/**
 * @param flags those that are allowed, besides `--json`
 * @throws {UsageError}
 */
export function parseFlags(
  args: string[],
  flags: Flags,
): { json: string | undefined; values: FlagValues<Flags> } {
  const names = Object.keys(flags);
  const options = Object.fromEntries(
    ['json', ...names.map(dashed)].map((name) => [name, { type: 'string' } as const]),
  );
  const { json, ...given } = readArgs(args, options);
  const values = Object.entries(flags).map(([name, { fallback }]) => {
    const text = given[dashed(name)];
    if (text === undefined) return [name, fallback] as const;
    return [name, numbers(dashed(name), text, typeof fallback === 'number')] as const;
  });
  return { json, values: Object.fromEntries(values) as FlagValues<Flags> };
}

/** What `npm run bench` prints without a name. */
export function usage(benchmarks: Record<string, Benchmark>): string {
  const named = Object.entries(benchmarks);
  return [
    'Usage: npm run bench -- <benchmark> [options]',
    '',
    'Benchmarks:',
    table([...named.map(([name, { summary }]) => [name, summary]), ['all', 'all of these']]),
    '',
    'Options of all:',
    table([['--json FILE', 'write everything that was measured to FILE']]),
    ...named.flatMap(([name, { flags }]) => ['', `Options of ${name}:`, table(rows(flags))]),
  ].join('\n');
}

function rows(flags: Flags): string[][] {
  return Object.entries(flags).map(([name, { help, fallback }]) => [
    `--${dashed(name)} ${typeof fallback === 'number' ? 'N' : 'N,...'}`,
    `${help}; default ${String(fallback)}`,
  ]);
}

function readArgs(
  args: string[],
  options: Record<string, { type: 'string' }>,
): Record<string, string | undefined> {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function numbers(name: string, text: string, single: boolean): number | number[] {
  const list = text.split(',').map(Number);
  if (!/^[\d,]+$/.test(text) || list.includes(0) || (single && list.length > 1)) {
    throw new UsageError(`--${name} takes ${single ? 'a whole number' : 'whole numbers'} above 0.`);
  }
  return single ? Number(text) : list;
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
