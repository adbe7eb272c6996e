import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { BerbixConfigurationError } from 'nestjs-berbix';
import {
  checkedEncryption,
  berbixEncryptionFromEnvironment,
  TokenCipher,
  type BerbixEncryptionOptions,
} from '../../lib/token-store/encryption/index.js';
import { errorOf } from '../support/errors.js';
import { everyViewOf } from '../support/sinks.js';
import { cipherWith, newKey, tracesOf } from './support/encryption.js';

const key = newKey();
const bytes = Buffer.from(key, 'base64');
const provider = { current: () => ({ id: 'k1', key }), byId: () => key };

/** The message of the error. Asserts that it shows nothing of any key. */
async function messageFor(run: () => unknown): Promise<string> {
  const error = await errorOf(run);
  expect(error).toBeInstanceOf(BerbixConfigurationError);
  const seen = await everyViewOf(error);
  for (const trace of tracesOf(key)) expect(seen).not.toContain(trace);
  expect(seen).not.toContain('secret');
  return error.message;
}

const cipherOf = (options: unknown) => () =>
  new TokenCipher(options as BerbixEncryptionOptions, 'default');

describe('a key', () => {
  it.each<[string, string | Uint8Array | ReturnType<typeof createSecretKey>]>([
    ['base64 text', key],
    ['a Buffer', bytes],
    ['a Uint8Array', new Uint8Array(bytes)],
    ['a KeyObject', createSecretKey(bytes)],
  ])('may be %s', async (_what, given) => {
    const sealed = await cipherWith({ k1: key }).seal('a/b', 'x');
    const cipher = new TokenCipher({ keys: { k1: given }, current: 'k1' }, 'default');
    await expect(cipher.open('a/b', sealed)).resolves.toBe('x');
  });

  it.each<[string, unknown, string]>([
    ['left out', undefined, 'is missing'],
    ['null', null, 'is missing'],
    ['empty', '', 'is empty'],
    ['a number', 7, 'is neither base64 text nor bytes'],
    ['an array of numbers', [...bytes], 'is neither base64 text nor bytes'],
    ['a public key', generateKeyPairSync('ed25519').publicKey, 'is neither base64 text nor bytes'],
    ['31 bytes', bytes.subarray(1), 'is not 32 bytes long, but 31'],
    ['33 bytes', Buffer.concat([bytes, bytes.subarray(0, 1)]), 'is not 32 bytes long, but 33'],
    ['one byte', bytes.subarray(31), 'is not 32 bytes long, but 1'],
    ['31 bytes of text', bytes.subarray(1).toString('base64'), 'is not 32 bytes long, but 31'],
    ['a short KeyObject', createSecretKey(bytes.subarray(16)), 'is not 32 bytes long, but 16'],
    ['hexadecimal text', bytes.toString('hex'), 'is hexadecimal text, not base64'],
    ['HEXADECIMAL TEXT', bytes.toString('hex').toUpperCase(), 'is hexadecimal text, not base64'],
    ['text without its padding', key.slice(0, -1), 'is not base64 text'],
    ['text with a line break', `${key}\n`, 'has a space or a line break around it'],
    ['a passphrase', 'my secret passphrase', 'is not base64 text'],
    ['a passphrase of 32 letters', Buffer.from('my secret passphrase of 32 bytes'), 'is text'],
    [
      'a passphrase of 32 letters in base64',
      Buffer.from('my secret passphrase of 32 bytes').toString('base64'),
      'is text, such as a passphrase',
    ],
    ['nothing but zeros', new Uint8Array(32), 'is not random: its bytes repeat themselves'],
    [
      'a short key given twice',
      Buffer.concat([bytes, bytes].map((each) => each.subarray(16))),
      'is not random',
    ],
  ])('is refused: %s', async (_what, given, problem) => {
    const message = await messageFor(cipherOf({ keys: { good: key, k1: given }, current: 'good' }));
    expect(message).toContain(`The key "k1" of encryption.keys ${problem}`);
    expect(message).toContain('openssl rand -base64 32');
  });

  it('is accepted if it is random, with any bytes', () => {
    for (let times = 0; times < 2_000; times++) {
      checkedEncryption({ keys: { k1: randomBytes(32) }, current: 'k1' });
    }
    expect.assertions(0);
  });
});

describe('encryption', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^encryption must be an object with keys and current, or with keyPro/],
    ['null', null, /^encryption must be an object/],
    ['the key alone', key, /^encryption must be an object.*openssl rand -base64 32/],
    ['a list', [key], /^encryption must be an object/],
    ['an empty object', {}, /^encryption takes either keys and current, or keyProvider/],
    [
      'both',
      { keys: { k1: key }, current: 'k1', keyProvider: provider },
      /^encryption takes either/,
    ],
    ['a misspelt option', { keyes: { k1: key } }, /^encryption takes only keys, current, keyProvi/],
    ['a key as an option', { [key]: 'k1', keys: {} }, /^encryption takes only keys, current/],
    [
      'keys that are not an object',
      { keys: key, current: 'k1' },
      /^encryption\.keys must be an object/,
    ],
    ['null for keys', { keys: null, current: 'k1' }, /^encryption\.keys must be an object/],
    [
      'no keys',
      { keys: {}, current: 'k1' },
      /^encryption\.keys must be an object with at least one.*openssl/,
    ],
    [
      'a list of keys',
      { keys: [key], current: 'k1' },
      /^encryption\.current must be the id of one/,
    ],
    ['no current key', { keys: { k1: key } }, /^encryption\.current must be the id of one/],
    ['an unknown current key', { keys: { k1: key }, current: 'k2' }, /^encryption\.current must/],
    [
      'an inherited current key',
      { keys: { k1: key }, current: 'toString' },
      /^encryption\.current/,
    ],
    ['the current key itself', { keys: { k1: key }, current: key }, /^encryption\.current must/],
    ['an empty id', { keys: { '': key }, current: '' }, /^encryption\.keys has an invalid id/],
    [
      'an id with a dot',
      { keys: { 'k.1': key }, current: 'k.1' },
      /^encryption\.keys has an invalid id/,
    ],
    ['an id with a line break', { keys: { 'k1\n': key }, current: 'k1\n' }, /has an invalid id/],
    ['an id with an umlaut', { keys: { kü: key }, current: 'kü' }, /has an invalid id/],
    ['a long id', { keys: { ['k'.repeat(65)]: key }, current: 'k1' }, /1 to 64 letters, digits/],
    ['id and key swapped', { keys: { [key]: 'k1' }, current: 'k1' }, /has an invalid id/],
    [
      'id and hexadecimal key swapped',
      { keys: { [bytes.toString('hex')]: 'k1' }, current: 'k1' },
      /^The key with a long or malformed id of encryption\.keys is not base64 text/,
    ],
    [
      'id and base64url key swapped',
      { keys: { [bytes.toString('base64url')]: 'k' }, current: 'k' },
      /^The key with a long or malformed id of encryption\.keys is not base64 text/,
    ],
    [
      'acceptPlaintext',
      { keys: { k1: key }, current: 'k1', acceptPlaintext: 'yes' },
      /^encryption\.acceptPlaintext must be true or false/,
    ],
    [
      'current beside a provider',
      { keyProvider: provider, current: 'k1' },
      /^encryption\.current is only for encryption\.keys/,
    ],
    [
      'a provider that is not an object',
      { keyProvider: 'kms' },
      /^encryption\.keyProvider must have the methods/,
    ],
    [
      'null for a provider',
      { keyProvider: null },
      /^encryption\.keyProvider must have the methods/,
    ],
    [
      'half a provider',
      { keyProvider: { current: provider.current } },
      /must have the methods current\(\) and byId\(id\)/,
    ],
    ['the other half', { keyProvider: { byId: provider.byId } }, /must have the methods/],
  ])('is refused: %s', async (_what, options, message) => {
    expect(await messageFor(cipherOf(options))).toMatch(message);
  });

  it('may have an id of 64 characters, and one that is a property of objects', async () => {
    for (const id of ['k'.repeat(64), '__proto__', 'constructor']) {
      const keys = JSON.parse(`{"${id}":"${key}"}`) as Record<string, string>;
      const cipher = new TokenCipher({ keys, current: id }, 'default');
      await expect(cipher.open('a/b', await cipher.seal('a/b', 'x'))).resolves.toBe('x');
    }
  });

  it('shows no key, neither in the validated options nor in the cipher', async () => {
    class Kms {
      readonly secret = key;
      current() {
        return { id: 'k1', key: this.secret };
      }
      byId() {
        return bytes;
      }
    }
    const own = checkedEncryption({ keys: { k1: key, k2: bytes }, current: 'k1' });
    const provided = checkedEncryption({ keyProvider: new Kms() });
    const ciphers = [own, provided].map((options) => new TokenCipher(options, 'default'));
    for (const cipher of ciphers) {
      await expect(cipher.open('a/b', await cipher.seal('a/b', 'x'))).resolves.toBe('x');
    }
    for (const value of [own, provided, ...ciphers]) {
      const seen = await everyViewOf(value);
      for (const trace of tracesOf(key)) expect(seen).not.toContain(trace);
    }
    expect(own).toMatchObject({ current: 'k1', acceptPlaintext: false });
  });
});

describe('BERBIX_ENCRYPTION_KEYS', () => {
  const from = (text: string | undefined) =>
    berbixEncryptionFromEnvironment({ BERBIX_ENCRYPTION_KEYS: text });

  it('may be missing', () => {
    expect(from(undefined)).toBeUndefined();
    expect(from('')).toBeUndefined();
  });

  it('has the keys, and the first one is current', async () => {
    const old = newKey();
    const options = from(`new:${key}, old:${old}\n`) as BerbixEncryptionOptions;
    const cipher = new TokenCipher(options, 'default');
    const sealed = await cipherWith({ old }).seal('a/b', 'x');
    await expect(cipher.open('a/b', sealed)).resolves.toBe('x');
    expect(await cipher.seal('a/b', 'x')).toMatch(/^b1\.new\./);
    const seen = await everyViewOf(options);
    for (const trace of [...tracesOf(key), ...tracesOf(old)]) expect(seen).not.toContain(trace);
    expect({ ...options, acceptPlaintext: true }).toMatchObject({
      keys: { new: expect.anything() },
    });
  });

  it('uses the first one as current, even if ids are numbers', () => {
    expect(from(`2:${key},1:${newKey()}`)).toMatchObject({ current: '2' });
  });

  it('is read from the environment of the process', () => {
    process.env.BERBIX_ENCRYPTION_KEYS = `k1:${key}`;
    try {
      expect(berbixEncryptionFromEnvironment()).toMatchObject({ current: 'k1' });
    } finally {
      delete process.env.BERBIX_ENCRYPTION_KEYS;
    }
  });

  it.each([
    [
      'a key alone',
      key,
      'Entry 1 of the environment variable BERBIX_ENCRYPTION_KEYS does not begin with an id and a colon',
    ],
    [
      'id and key swapped',
      `${key}:k1`,
      'Entry 1 of the environment variable BERBIX_ENCRYPTION_KEYS does not begin',
    ],
    [
      'id and hexadecimal key swapped',
      `${bytes.toString('hex')}:k1`,
      'Entry 1 of the environment variable BERBIX_ENCRYPTION_KEYS has a key that is not base64 text',
    ],
    ['no id', `:${key}`, 'does not begin with an id'],
    ['nothing after the comma', `k1:${key},`, 'Entry 2 of'],
    [
      'no key',
      `k1:${key},k2:`,
      'Entry 2 of the environment variable BERBIX_ENCRYPTION_KEYS has a key that is empty',
    ],
    [
      'a short key',
      `k1:${bytes.subarray(1).toString('base64')}`,
      'has a key that is not 32 bytes long, but 31',
    ],
    [
      'one id twice',
      `k1:${key},k2:${key},k1:${newKey()}`,
      'Entry 3 of the environment variable BERBIX_ENCRYPTION_KEYS has the id of an earlier one',
    ],
  ])('is refused: %s', async (_what, text, problem) => {
    const message = await messageFor(() => from(text));
    expect(message).toContain(problem);
    expect(message).toContain('openssl rand -base64 32');
  });
});
