import type { Benchmark } from './benchmark.js';
import { table } from './table.js';

/** What `npm run bench` shows without a name. */
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

function rows(flags: Benchmark['flags']): string[][] {
  return Object.entries(flags).map(([name, { help, fallback }]) => {
    const several = typeof fallback !== 'number';
    return [`--${name} ${several ? 'N,...' : 'N'}`, `${help}; ${String(fallback)} by default`];
  });
}
