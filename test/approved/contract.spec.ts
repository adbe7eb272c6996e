import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { InMemoryTokenStore, type BerbixTokenStore } from 'nestjs-berbix';
import { tokenStoreContract, type TokenStoreCase } from 'nestjs-berbix/testing';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { letTimeRun, stopTime, valueOf } from '../renewal/support/virtual-time.js';
import { changed } from '../support/changed-store.js';
import { expectApproved } from './support/approved.js';

type Call = (...given: unknown[]) => Promise<unknown>;

const METHODS = ['load', 'lease', 'commit', 'release', 'forget', 'compareAndSwap', 'keys'] as const;
const KEY = /contract\/[0-9a-f-]{36}/g;

/** The lines of a case that a file has; of the others, it has a hash. */
const MAX_LINES = 60;

beforeEach(() => stopTime(1));
afterEach(() => letTimeRun());

/** The calls of a case, with their answers. */
async function callsOf({ name, run }: TokenStoreCase): Promise<string> {
  const memory = new InMemoryTokenStore();
  const lines: string[] = [];
  let running: string | undefined;
  const watched = (who: string): BerbixTokenStore => {
    const methods = METHODS.map((method) => [
      method,
      async (...given: unknown[]) => {
        // Where a call has not been awaited.
        const during = running === undefined ? '' : `, during ${running}`;
        running = method;
        const answer = await (memory[method] as Call).apply(memory, given);
        running = undefined;
        lines.push(
          `  ${who}: ${method} ${given.map(shown).join(', ')} => ${shown(answer)}${during}`,
        );
        return answer;
      },
    ]);
    return changed(memory, Object.fromEntries(methods));
  };
  await valueOf(run(watched('one'), watched('another')));
  const keys = [...new Set(lines.join('\n').match(KEY))];
  const all = lines.map((line) => line.replaceAll(KEY, (key) => `{key ${keys.indexOf(key) + 1}}`));
  return [name, ...all.slice(0, MAX_LINES), ...summary(all.slice(MAX_LINES))].join('\n');
}

function summary(lines: string[]): string[] {
  const hash = createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
  return lines.length === 0 ? [] : [`  ... ${lines.length} more, with the hash ${hash}`];
}

/** A record without the store's time, which is another one in each run. */
function shown(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null;
  const { now: _, leasedForMs, ...rest } = (isObject ? value : {}) as StoredRecord;
  const left = leasedForMs === undefined ? {} : { leasedForMs: Math.round(leasedForMs) };
  const text = JSON.stringify(isObject ? { ...rest, ...left } : value) ?? 'nothing';
  return text.replaceAll(/(.)\1{30,}/g, (part) => `{${part.length} times ${part[0]}}`);
}

it('the calls that the contract of token stores makes are those approved', async () => {
  expect(tokenStoreContract.length).toBeGreaterThan(30);
  const texts: string[] = [];
  for (const each of tokenStoreContract) texts.push(await callsOf(each));
  expectApproved('contract.txt', `${texts.join('\n\n')}\n`);
});
