import { createDecipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BerbixStoreError } from 'nestjs-berbix';
import { PlaintextCipher } from '../../lib/token-store/encryption/index.js';
import { errorOf } from '../support/errors.js';
import { cipherWith, newKey } from './support/encryption.js';
import { usualOrLong } from '../support/long.js';

const key = newKey();
const record = 'default/transaction/1234';

const text = fc.string({ unit: 'grapheme' });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const keyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

/** The error of a refused value; it is not retryable. */
async function expectRefused(opened: Promise<string>, message: RegExp = /./): Promise<void> {
  const error = await errorOf(opened);
  expect(error).toBeInstanceOf(BerbixStoreError);
  expect(error.message).toMatch(message);
  expect(error.retryable).toBe(false);
}

describe('a value sealed by TokenCipher', () => {
  it('opens again in the same record', async () => {
    await fc.assert(
      fc.asyncProperty(keyId, name, name, text, async (id, account, recordKey, value) => {
        const sealed = await cipherWith({ [id]: key }, account).seal(recordKey, value);
        expect(sealed).toMatch(/^b1\.[\w-]+\.[\w-]+$/);
        expect(sealed.split('.')[1]).toBe(id);
        const opened = cipherWith({ [id]: key }, account).open(recordKey, sealed);
        await expect(opened).resolves.toBe(value);
      }),
    );
  });

  it('uses AES-256-GCM with a key of the account, and authenticates its record', async () => {
    const [account, value] = ['shop', '{"refreshToken":"rt_1"}'];
    const sealed = await cipherWith({ k1: key }, account).seal(record, value);
    const bytes = Buffer.from(sealed.split('.')[2] as string, 'base64url');
    expect(bytes).toHaveLength(12 + value.length + 16);
    const subkey = hkdfSync(
      'sha256',
      Buffer.from(key, 'base64'),
      '',
      '["nestjs-berbix","b1","shop"]',
      32,
    );
    const decipher = createDecipheriv('aes-256-gcm', new Uint8Array(subkey), bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(JSON.stringify(['b1', 'k1', account, record, 'value'])));
    decipher.setAuthTag(bytes.subarray(-16));
    expect(decipher.update(bytes.subarray(12, -16)).toString() + decipher.final().toString()).toBe(
      value,
    );
  });

  it('opens in later versions', async () => {
    const [first, other] = ['a+Tb3PnTNm/Bb28oQW0nVyCiwyQQVVk1+Rp0hhSeiCM=', newKey()];
    const stored =
      'b1.first.5QLkCRBkmC5NAXfoAQzEnGnLBo6UDh2h_dAJ0C9-Qmis2myYEy0XhPK8PGvT8eTmKvh5VU3Umcms';
    const opened = cipherWith({ other, first }).open(record, stored);
    await expect(opened).resolves.toBe('{"refreshToken":"rt_fixture"}');
  });

  it('is never the same twice', async () => {
    const cipher = cipherWith({ k1: key });
    const sealed = await Promise.all(Array.from({ length: 200 }, () => cipher.seal(record, 'x')));
    const nonces = sealed.map((each) =>
      Buffer.from(each.split('.')[2] as string, 'base64url').toString('hex', 0, 12),
    );
    expect(new Set(nonces).size).toBe(200);
  });

  it('is refused with any bit changed', async () => {
    // The same key has every id that differs in one bit, so the id itself must be authenticated.
    const ids = ['k1', ...flips('k1').filter((id) => /^[\w-]+$/.test(id))];
    expect(ids.length).toBeGreaterThan(8);
    const cipher = cipherWith(Object.fromEntries(ids.map((id) => [id, key])), 'default', true);
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const sealed = await cipher.seal(record, value);
        for (const flipped of flips(sealed)) await expectRefused(cipher.open(record, flipped));
      }),
      { numRuns: usualOrLong(6, 100) },
    );
  });

  it('is refused if anything is missing, added or encoded differently', async () => {
    const cipher = cipherWith({ k1: key }, 'default', true);
    const sealed = await cipher.seal(record, 'a value with some length');
    for (let length = 0; length < sealed.length; length++) {
      await expectRefused(cipher.open(record, sealed.slice(0, length)));
    }
    const [format, id, encoded = ''] = sealed.split('.');
    const bytes = Buffer.from(encoded, 'base64url');
    const others = [
      `${sealed}=`,
      `${sealed}==`,
      `${sealed}\n`,
      ` ${sealed}`,
      `${sealed}A`,
      `${sealed}AAAA`,
      `${sealed}.`,
      `${format}.${id}.${bytes.toString('hex')}`,
      `${format}.${id}.${encoded.slice(0, 8)}\n${encoded.slice(8)}`,
      `${format}..${encoded}`,
      `b2.${id}.${encoded}`,
      `B1.${id}.${encoded}`,
      `${format}.k 1.${encoded}`,
      '',
      'b1.k1.',
      `b1.k1.${Buffer.alloc(27).toString('base64url')}`,
      '{"refreshToken":"rt"}',
    ];
    for (const other of others) {
      expect(other).not.toBe(sealed);
      await expectRefused(cipher.open(record, other));
    }
    await expectRefused(
      cipher.open(record, `b1.${'k'.repeat(65)}.${encoded}`),
      /is not in a format/,
    );
    // Its padding bits are zero. Text with other padding bits decodes to the same bytes.
    const padded = await cipher.seal(record, 'x');
    const last = padded.at(-1) as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const alike = `${padded.slice(0, -1)}${alphabet[alphabet.indexOf(last) + 1]}`;
    expect(Buffer.from(alike.split('.')[2] as string, 'base64url')).toEqual(
      Buffer.from(padded.split('.')[2] as string, 'base64url'),
    );
    await expectRefused(cipher.open(record, alike), /is not in a format/);
  });

  it('is refused in another record or account', async () => {
    await fc.assert(
      fc.asyncProperty(name, name, name, name, text, async (account, from, other, to, value) => {
        const sealed = await cipherWith({ k1: key }, account).seal(from, value);
        const moved =
          /^A stored value cannot be decrypted with the key "k1": it was changed, or moved from another record/;
        if (from !== to) {
          await expectRefused(cipherWith({ k1: key }, account).open(to, sealed), moved);
        }
        if (account !== other) {
          await expectRefused(cipherWith({ k1: key }, other).open(from, sealed), moved);
        }
      }),
    );
    const sealed = await cipherWith({ k1: key }, 'a').seal('b/c', 'x');
    await expectRefused(cipherWith({ k1: key }, 'a/b').open('c', sealed));
  });

  it('is refused with another key id, even one of the same key', async () => {
    await fc.assert(
      fc.asyncProperty(keyId, keyId, text, async (id, other, value) => {
        fc.pre(id !== other);
        const sealed = await cipherWith({ [id]: key }).seal(record, value);
        const swapped = sealed.replace(`b1.${id}.`, `b1.${other}.`);
        await expectRefused(
          cipherWith({ [id]: key, [other]: key }).open(record, swapped),
          /was changed/,
        );
        await expectRefused(
          cipherWith({ [id]: key, [other]: newKey() }).open(record, swapped),
          /was changed/,
        );
      }),
    );
  });

  it('opens after a key change, but is not current any more', async () => {
    await fc.assert(
      fc.asyncProperty(keyId, keyId, text, async (old, current, value) => {
        fc.pre(old !== current);
        const sealed = await cipherWith({ [old]: key }).seal(record, value);
        const keys = { [current]: newKey(), [old]: key };
        const rotated = cipherWith(keys, 'default', false, current);
        await expect(rotated.open(record, sealed)).resolves.toBe(value);
        await expect(rotated.isCurrent(sealed)).resolves.toBe(false);
        const anew = await rotated.seal(record, value);
        await expect(rotated.isCurrent(anew)).resolves.toBe(true);
        await expectRefused(cipherWith({ [old]: key }).open(record, anew));
      }),
    );
  });

  it('is opened only with the key that it names', async () => {
    const sealed = await cipherWith({ old: key }).seal(record, 'x');
    await expectRefused(
      cipherWith({ new: key }).open(record, sealed),
      /^A stored value is sealed with the key "old", which the option encryption does not have/,
    );
    await expectRefused(
      cipherWith({ old: newKey(), new: key }).open(record, sealed),
      /this id is now another key/,
    );
  });
});

describe('plaintext values', () => {
  const clear = new PlaintextCipher();

  it('are marked as such', async () => {
    await fc.assert(
      fc.asyncProperty(name, text, async (recordKey, value) => {
        const stored = await clear.seal(recordKey, value);
        expect(stored).toBe(`clear.${value}`);
        await expect(clear.open(recordKey, stored)).resolves.toBe(value);
      }),
    );
  });

  it('are refused with encryption, unless acceptPlaintext is set', async () => {
    const stored = await clear.seal(record, 'x');
    await expectRefused(
      cipherWith({ k1: key }).open(record, stored),
      /is not encrypted, and encryption.acceptPlaintext is not set. Set it/,
    );
    const accepting = cipherWith({ k1: key }, 'default', true);
    await expect(accepting.open(record, stored)).resolves.toBe('x');
    await expect(accepting.isCurrent(stored)).resolves.toBe(false);
  });

  it('can be read without encryption; for other values, the message names the key', async () => {
    const sealed = await cipherWith({ 'k-2026': key }).seal(record, 'x');
    await expectRefused(
      clear.open(record, sealed),
      /^A stored value is sealed with the key "k-2026", but the option encryption is not set\. Set it/,
    );
    await expectRefused(clear.open(record, 'b1.k1.'), /is not in a format/);
    await expectRefused(clear.open(record, '{"refreshToken":"rt"}'), /is not in a format/);
  });
});

/** All texts that differ in one bit of one character. */
function flips(of: string): string[] {
  return [...of].flatMap((character, at) =>
    Array.from(
      { length: 8 },
      (_, bit) =>
        of.slice(0, at) +
        String.fromCharCode(character.charCodeAt(0) ^ (1 << bit)) +
        of.slice(at + 1),
    ),
  );
}
