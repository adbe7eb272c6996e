import { parseArgs } from 'node:util';
import type { FlagValues, Flags } from './benchmark.js';

/** The command line cannot be understood; the message says why. */
export class UsageError extends Error {}

/** What the command line says. */
export interface CommandLine {
  /** Where to write the results. */
  json: string | undefined;
  values: FlagValues<Flags>;
}

/**
 * @param flags those that are allowed, beside `--json`
 * @throws {UsageError}
 */
export function parseFlags(args: string[], flags: Flags): CommandLine {
  const { json, ...given } = readArgs(args, ['json', ...Object.keys(flags)]);
  const values = Object.entries(flags).map(([name, { fallback }]) => {
    const text = given[name];
    if (text === undefined) return [name, fallback] as const;
    return [name, numbers(name, text, typeof fallback === 'number')] as const;
  });
  return { json, values: Object.fromEntries(values) };
}

function readArgs(args: string[], names: string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]));
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
