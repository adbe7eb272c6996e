import type { KeyObject } from 'node:crypto';
import { BerbixConfigurationError } from '../../errors/index.js';
import { checkBoolean } from '../../options/index.js';
import { isKeyId, MAKE_A_KEY, readKey, shownKeyId } from './encryption-key.js';
import type { BerbixEncryptionOptions, BerbixKeyProvider } from './encryption.options.js';

/** Validated options, which show no key when they are printed or turned into JSON. */
export type CheckedEncryption =
  | { keys: Record<string, KeyObject>; current: string; acceptPlaintext: boolean }
  | { keyProvider: BerbixKeyProvider; acceptPlaintext: boolean; keys?: undefined };

/**
 * Validates the options and conceals their keys.
 *
 * @throws {BerbixConfigurationError} that names the problem and says what to do
 */
export function checkedEncryption(options: BerbixEncryptionOptions): CheckedEncryption {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BerbixConfigurationError(
      `encryption must be an object with keys and current, or with keyProvider. ${MAKE_A_KEY}`,
    );
  }
  // As `unknown`: with the declared types, the compiler would consider the checks below redundant.
  const given: { [name in keyof BerbixEncryptionOptions]?: unknown } = options;
  const known = ['keys', 'current', 'keyProvider', 'acceptPlaintext'];
  if (Object.keys(given).some((name) => !known.includes(name))) {
    // Without the unknown name: a key may have been put beside `keys` instead of into it (I10).
    throw new BerbixConfigurationError(`encryption takes only ${known.join(', ')}.`);
  }
  const { keys, current, keyProvider, acceptPlaintext: accepted } = given;
  const acceptPlaintext = checkBoolean('encryption.acceptPlaintext', accepted);
  if ((keys === undefined) === (keyProvider === undefined)) {
    throw new BerbixConfigurationError(
      `encryption takes either keys and current, or keyProvider. ${MAKE_A_KEY}`,
    );
  }
  if (keys !== undefined) return { ...ownKeys(keys, current), acceptPlaintext };
  if (current !== undefined) {
    throw new BerbixConfigurationError(
      'encryption.current is only for encryption.keys; with keyProvider, its method current() says which key to use.',
    );
  }
  return { keyProvider: concealed(keyProvider), acceptPlaintext };
}

function ownKeys(keys: unknown, current: unknown) {
  if (typeof keys !== 'object' || keys === null || Object.keys(keys).length === 0) {
    throw new BerbixConfigurationError(
      `encryption.keys must be an object with at least one key under its id, such as { k1: process.env.TOKEN_KEY }. ${MAKE_A_KEY}`,
    );
  }
  const read = Object.entries(keys).map(([id, key]) => [id, ownKey(id, key)] as const);
  if (typeof current !== 'string' || !Object.hasOwn(keys, current)) {
    throw new BerbixConfigurationError(
      'encryption.current must be the id of one of encryption.keys: the one to seal with.',
    );
  }
  return { keys: Object.fromEntries(read), current };
}

function ownKey(id: string, key: unknown): KeyObject {
  if (!isKeyId(id)) {
    throw new BerbixConfigurationError(
      'encryption.keys has an invalid id. An id is 1 to 64 letters, digits, hyphens and underscores, such as k1.',
    );
  }
  const read = readKey(key);
  if (typeof read !== 'string') return read;
  throw new BerbixConfigurationError(
    `The key ${shownKeyId(id)} of encryption.keys ${read}. It must be 32 random bytes, as base64 text or as bytes. ${MAKE_A_KEY}`,
  );
}

/** A wrapper without fields of its own: those of the provider may hold keys. */
function concealed(keyProvider: unknown): BerbixKeyProvider {
  const provider = keyProvider as BerbixKeyProvider | null;
  if (typeof provider?.current !== 'function' || typeof provider.byId !== 'function') {
    throw new BerbixConfigurationError(
      'encryption.keyProvider must have the methods current() and byId(id).',
    );
  }
  return { current: () => provider.current(), byId: (id) => provider.byId(id) };
}
