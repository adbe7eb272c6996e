import { expect, it } from '@jest/globals';
import { StoredRecords } from '../../lib/cli/store/stored-records.js';
import {
  InMemoryTokenStore,
  PlaintextCipher,
  type StoredRecord,
} from '../../lib/token-store/index.js';

const NOW = 1_000_000;

/** The state of a record at a known time of the store. */
async function stateOf(value: object | undefined, note: object, leasedForMs = 0) {
  const store = new InMemoryTokenStore();
  const record: StoredRecord = {
    version: 1,
    leaseEpoch: 1,
    value: value === undefined ? 'b1.k1.sealed' : `clear.${JSON.stringify(value)}`,
    note: JSON.stringify(note),
    leasedForMs,
    now: NOW,
  };
  store.load = async () => record;
  const found = await new StoredRecords(store, new PlaintextCipher(), 'default').one('a');
  return found?.state;
}

const DEAD = { deadCode: 'BERBIX_GONE' };
const ROTATED = { pendingRotation: 'rt_0' };
const COOLING = { notBefore: NOW + 1 };
const IN_DOUBT = { startedAt: NOW };
const SEALED = undefined;

it.each<[state: string, value: object | undefined, note: object, leasedForMs?: number]>([
  ['leased', ROTATED, { ...DEAD, ...COOLING, ...IN_DOUBT }, 1],
  ['leased', SEALED, {}, 1],
  ['dead (BERBIX_GONE)', ROTATED, { ...DEAD, ...COOLING, ...IN_DOUBT }],
  ['dead (BERBIX_GONE)', { see: 'b' }, DEAD],
  ['dead (BERBIX_GONE)', SEALED, DEAD],
  ['reference', { see: 'b' }, { ...COOLING, ...IN_DOUBT }],
  ['onRotation pending', { ...ROTATED, expiresAt: NOW }, { ...COOLING, ...IN_DOUBT }],
  ['cooling', { expiresAt: NOW + 1 }, { ...COOLING, ...IN_DOUBT }],
  ['cooling', SEALED, COOLING],
  ['outcome unknown', { expiresAt: NOW + 1 }, { notBefore: NOW, ...IN_DOUBT }],
  ['outcome unknown', SEALED, IN_DOUBT],
  ['sealed', SEALED, { notBefore: NOW }],
  ['refresh token only', { refreshAfter: NOW }, {}],
  ['expired', { expiresAt: NOW, refreshAfter: NOW }, {}],
  ['stale', { expiresAt: NOW + 1, refreshAfter: NOW }, {}],
  ['fresh', { expiresAt: NOW + 1, refreshAfter: NOW + 1 }, {}],
  ['fresh', { expiresAt: NOW + 1 }, {}],
])('a record is %s if its value is %j, with the note %j', async (state, value, note, leased) => {
  expect(await stateOf(value, note, leased)).toBe(state);
});
