import { expect, it } from '@jest/globals';
import { StoredRecords } from '../../lib/cli/store/stored-records.js';
import {
  InMemoryTokenStore,
  PlaintextCipher,
  type StoredRecord,
} from '../../lib/token-store/index.js';

const NOW = 1_000_000;

/** The state of a record at a known time of the store. */
async function stateOf(value: object | undefined, note: object, leasedForMs: number) {
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

it.each<[state: string, value: object | undefined, note: object, leasedForMs: number]>([
  ['leased', ROTATED, { ...DEAD, ...COOLING, ...IN_DOUBT }, 1],
  ['leased', SEALED, {}, 1],
  ['dead (BERBIX_GONE)', ROTATED, { ...DEAD, ...COOLING, ...IN_DOUBT }, 0],
  ['dead (BERBIX_GONE)', { see: 'b' }, DEAD, 0],
  ['dead (BERBIX_GONE)', SEALED, DEAD, 0],
  ['reference', { see: 'b' }, { ...COOLING, ...IN_DOUBT }, 0],
  ['onRotation pending', { ...ROTATED, expiresAt: NOW }, { ...COOLING, ...IN_DOUBT }, 0],
  ['cooling', { expiresAt: NOW + 1 }, { ...COOLING, ...IN_DOUBT }, 0],
  ['cooling', SEALED, COOLING, 0],
  ['outcome unknown', { expiresAt: NOW + 1 }, { notBefore: NOW, ...IN_DOUBT }, 0],
  ['outcome unknown', SEALED, IN_DOUBT, 0],
  ['sealed', SEALED, { notBefore: NOW }, 0],
  ['refresh token only', { refreshAfter: NOW }, {}, 0],
  ['expired', { expiresAt: NOW, refreshAfter: NOW }, {}, 0],
  ['stale', { expiresAt: NOW + 1, refreshAfter: NOW }, {}, 0],
  ['fresh', { expiresAt: NOW + 1, refreshAfter: NOW + 1 }, {}, 0],
  ['fresh', { expiresAt: NOW + 1 }, {}, 0],
])(
  'a record is %s if its value is %j, with the note %j and %d ms of a lease',
  async (state, value, note, leased) => {
    expect(await stateOf(value, note, leased)).toBe(state);
  },
);
