import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const LIB = resolve('lib');

/** What each floor may stand on; imports go down only. */
const FLOORS: Record<string, string[]> = {
  wire: [],
  errors: [],
  // Turns, shared work and async contexts.
  concurrency: [],
  http: ['wire', 'errors', 'concurrency', 'loopback', 'version'],
  'token-store': ['errors', 'concurrency'],
  tokens: ['wire', 'errors', 'concurrency', 'http', 'token-store'],
  transactions: ['wire', 'errors', 'http', 'tokens'],
  webhooks: ['wire', 'errors', 'concurrency', 'http', 'token-store'],
  verification: ['errors', 'http', 'token-store', 'tokens', 'transactions'],
  // The module, its options and its configuration.
  '.': [
    'wire',
    'errors',
    'http',
    'token-store',
    'tokens',
    'transactions',
    'verification',
    'webhooks',
  ],
  // What users need in their own tests.
  testing: [
    '.',
    'wire',
    'errors',
    'http',
    'token-store',
    'tokens',
    'transactions',
    'verification',
    'webhooks',
  ],
  // The sandbox knows the wire, and nothing of the client.
  sandbox: ['wire', 'loopback', 'version'],
  cli: ['.', 'wire', 'errors', 'sandbox', 'token-store', 'loopback', 'version'],
};

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** Files below all floors. */
const BASE = ['loopback', 'version'];

/** The floor that a path below lib/ belongs to. */
function floorOf(path: string): string {
  const name = path.replace(/\.ts$/, '');
  if (BASE.includes(name)) return name;
  return path.includes('/') ? (path.split('/')[0] as string) : '.';
}

describe('the house', () => {
  it('has the floors that are named here', () => {
    expect(new Set(files.map(floorOf))).toEqual(new Set([...Object.keys(FLOORS), ...BASE]));
  });

  it.each(files)('lib/%s imports from its own floor and those below', (file) => {
    const source = readFileSync(join(LIB, file), 'utf8');
    const imports = [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
      relative(LIB, resolve(LIB, dirname(file), (match[1] as string).replace(/\.js$/, '.ts'))),
    );
    const floor = floorOf(file);
    const allowed = [floor, ...(FLOORS[floor] ?? [])];
    for (const path of imports) expect(allowed).toContain(floorOf(path));
  });

  it('has a file that can be read in one sitting, everywhere', () => {
    const long = files.filter(
      (file) => readFileSync(join(LIB, file), 'utf8').split('\n').length > 400,
    );
    expect(long).toEqual([]);
  });
});
