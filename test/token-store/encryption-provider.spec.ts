import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BerbixStoreError } from 'nestjs-berbix';
import {
  TokenCipher,
  type BerbixEncryptionKey,
  type BerbixKeyProvider,
  type BerbixNamedKey,
} from '../../lib/token-store/encryption/index.js';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';
import { cipherWith, newKey } from './support/encryption.js';

const keys: Record<string, string> = { k1: newKey(), k2: newKey() };
const record = 'default/transaction/1234';

/** A provider with answers that a test sets, which counts its calls. */
class Kms implements BerbixKeyProvider {
  asked: string[] = [];
  currentKey: () => BerbixNamedKey | Promise<BerbixNamedKey> = () => named('k1');
  keyById: (
    id: string,
  ) => BerbixEncryptionKey | undefined | Promise<BerbixEncryptionKey | undefined> = (id) =>
    keys[id];

  current() {
    this.asked.push('current');
    return this.currentKey();
  }

  byId(id: string) {
    this.asked.push(id);
    return this.keyById(id);
  }
}

function named(id: string): BerbixNamedKey {
  return { id, key: Buffer.from(keys[id] as string, 'base64') };
}

let kms: Kms;
let cipher: TokenCipher;
let warn: ReturnType<typeof mutedWarnings>;

const mutedWarnings = () => jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});

beforeEach(() => {
  jest.useFakeTimers();
  warn = mutedWarnings();
  kms = new Kms();
  cipher = new TokenCipher({ keyProvider: kms }, 'default');
});
afterEach(() => {
  jest.useRealTimers();
  warn.mockRestore();
});

const seal = () => cipher.seal(record, 'x');

/** A value that another process sealed with this key. */
const sealedWith = (id: string, key = keys[id] as string) =>
  cipherWith({ [id]: key }).seal(record, 'x');

async function expectFailure(promise: Promise<unknown>, retryable: boolean, message: RegExp) {
  const error = await errorOf(promise);
  expect(error).toBeInstanceOf(BerbixStoreError);
  expect(error.message).toMatch(message);
  expect(error.retryable).toBe(retryable);
  const seen = await everyViewOf(error);
  for (const secret of [...Object.values(keys), 'SECRET']) expect(seen).not.toContain(secret);
  return error;
}

describe('the current key of a provider', () => {
  it('is requested once a minute; values that it sealed open without another request', async () => {
    const sealed = await seal();
    await seal();
    expect(await cipher.open(record, sealed)).toBe('x');
    expect(await cipher.isCurrent(sealed)).toBe(true);
    jest.advanceTimersByTime(59_000);
    await seal();
    expect(kms.asked).toEqual(['current']);

    kms.currentKey = () => named('k2');
    jest.advanceTimersByTime(1_001);
    expect(await seal()).toMatch(/^b1\.k2\./);
    expect(await cipher.isCurrent(sealed)).toBe(false);
    expect(await cipher.open(record, sealed)).toBe('x');
    expect(kms.asked).toEqual(['current', 'current']);
  });

  it('is requested once for concurrent callers', async () => {
    let answer: (key: BerbixNamedKey) => void = () => {};
    kms.currentKey = () => new Promise((resolve) => (answer = resolve));
    const sealing = [seal(), seal(), seal()];
    answer(named('k1'));
    expect(new Set(await Promise.all(sealing)).size).toBe(3);
    expect(kms.asked).toEqual(['current']);
  });

  it.each<[string, () => BerbixNamedKey | Promise<BerbixNamedKey>]>([
    [
      'throws',
      () => {
        throw new Error('SECRET');
      },
    ],
    ['rejects', () => Promise.reject(new Error('SECRET'))],
  ])('is requested again after the provider %s', async (_what, fail) => {
    kms.currentKey = fail;
    await expectFailure(seal(), true, /^The key provider failed to answer current\(\)\.$/);
    kms.currentKey = () => named('k1');
    expect(await seal()).toMatch(/^b1\.k1\./);
  });

  it('has a time limit of five seconds', async () => {
    kms.currentKey = () => new Promise(() => {});
    const failure = expectFailure(seal(), true, /did not answer current\(\) within 5000 ms/);
    await jest.advanceTimersByTimeAsync(5_001);
    await failure;
    expect(jest.getTimerCount()).toBe(0);
    kms.currentKey = () => named('k1');
    await seal();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('stays the previous one while the provider fails, so that no token is lost', async () => {
    await seal();
    jest.advanceTimersByTime(61_000);
    kms.currentKey = () => Promise.reject(new Error('SECRET'));
    expect(await seal()).toMatch(/^b1\.k1\./);
    await seal();
    expect(kms.asked).toEqual(['current', 'current']);
    jest.advanceTimersByTime(61_000);
    kms.currentKey = () => named('k2');
    expect(await seal()).toMatch(/^b1\.k2\./);
  });

  it.each<[string, () => BerbixNamedKey | Promise<BerbixNamedKey>, RegExp]>([
    ['fails', () => Promise.reject(new Error('SECRET')), / The key provider failed to answer/],
    [
      'returns an invalid key',
      () => ({ id: 'k1', key: 'SECRET' }),
      / The key "k1" from the key provider is/,
    ],
  ])('is logged once while the provider %s', async (_what, fail, message) => {
    await seal();
    for (const failures of [1, 2]) {
      kms.currentKey = fail;
      for (let minute = 0; minute < 3; minute++) {
        jest.advanceTimersByTime(61_000);
        await seal();
      }
      expect(warn).toHaveBeenCalledTimes(failures);
      kms.currentKey = () => named('k1');
      jest.advanceTimersByTime(61_000);
      await seal();
    }
    expect(warn).toHaveBeenCalledTimes(2);
    const [warning] = warn.mock.calls[0] as [string];
    expect(warning).toMatch(message);
    expect(warning).toMatch(
      /^The previous key, "k1", stays in use until the provider answers again\. /,
    );
    expect(warning).not.toContain('SECRET');
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /no key with an id/],
    ['null', null, /no key with an id/],
    ['no id', { key: keys.k1 }, /no key with an id/],
    ['an id with a dot', { id: 'k.1', key: keys.k1 }, /no key with an id/],
    ['no key', { id: 'k1' }, /^The key "k1" from the key provider is missing/],
    [
      'a short key',
      { id: 'k1', key: new Uint8Array(16) },
      /"k1" from the key provider is not 32 bytes long, but 16/,
    ],
    ['zeros', { id: 'k1', key: new Uint8Array(32) }, /is not random/],
  ])('cannot be %s', async (_what, answer, message) => {
    kms.currentKey = () => answer as BerbixNamedKey;
    await expectFailure(seal(), false, message);
  });
});

describe('a key of a provider by its id', () => {
  it('is requested once, even for concurrent callers', async () => {
    const sealed = await sealedWith('k2');
    expect(await Promise.all([1, 2, 3].map(() => cipher.open(record, sealed)))).toEqual(
      Array(3).fill('x'),
    );
    jest.advanceTimersByTime(86_400_000);
    expect(await cipher.open(record, sealed)).toBe('x');
    expect(kms.asked).toEqual(['k2']);
  });

  it('is requested again if there was none', async () => {
    const sealed = await sealedWith('k2');
    kms.keyById = () => undefined;
    const message =
      /^A stored value is sealed with the key "k2", which the option encryption does not have/;
    await expectFailure(cipher.open(record, sealed), false, message);
    kms.keyById = async () => null as never;
    await expectFailure(cipher.open(record, sealed), false, message);
    kms.keyById = (id) => keys[id];
    expect(await cipher.open(record, sealed)).toBe('x');
  });

  it('is requested again after a failure', async () => {
    const sealed = await sealedWith('k2');
    kms.keyById = () => {
      throw new Error('SECRET');
    };
    await expectFailure(cipher.open(record, sealed), true, /failed to answer byId\(\)\.$/);
    kms.keyById = () => new Promise(() => {});
    const failure = expectFailure(
      cipher.open(record, sealed),
      true,
      /did not answer byId\(\) within 5000/,
    );
    await jest.advanceTimersByTimeAsync(5_001);
    expect(await failure).toMatchObject({ reason: 'TIMEOUT' });
    kms.keyById = (id) => keys[id];
    expect(await cipher.open(record, sealed)).toBe('x');
  });

  it('cannot be a weak one', async () => {
    kms.keyById = () => 'passphrase';
    await expectFailure(cipher.open(record, await sealedWith('k2')), false, /"k2" from the key/);
  });

  it('is cached for the hundred most recently used keys', async () => {
    const ids = Array.from({ length: 101 }, (_, index) => `id${index}`);
    const [shared, sealed] = [newKey(), new Map<string, string>()];
    for (const id of ids) sealed.set(id, await sealedWith(id, shared));
    kms.keyById = () => shared;
    const open = (id: string | undefined) => cipher.open(record, sealed.get(id ?? '') as string);
    for (const id of ids.slice(0, 100)) await open(id);
    await open('id0');
    await open('id100');
    expect(kms.asked).toEqual(ids);
    await open('id0');
    expect(kms.asked).toEqual(ids);
    await open('id1');
    expect(kms.asked).toEqual([...ids, 'id1']);
  });
});
