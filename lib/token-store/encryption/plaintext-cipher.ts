import { BerbixStoreError } from '../../errors/index.js';
import type { RecordCipher } from '../sealed-records.js';
import { clearText, parseClear, parseSealed } from './sealed-text.js';

/**
 * Replaces {@link TokenCipher} if no encryption is configured: values stay in plaintext, and are
 * marked so.
 */
export class PlaintextCipher implements RecordCipher {
  async seal(_key: string, text: string): Promise<string> {
    return clearText(text);
  }

  /**
   * @throws {BerbixStoreError} (as a rejection) for a sealed value, or one that this package did
   * not write
   */
  async open(_key: string, stored: string): Promise<string> {
    const text = parseClear(stored);
    if (text !== undefined) return text;
    const sealed = parseSealed(stored);
    if (sealed === undefined) throw unknownForm();
    throw new BerbixStoreError(
      `A stored value is sealed with the key "${sealed.keyId}", and no encryption is configured. Set the option encryption, with that key among its keys.`,
    );
  }
}

/** The error for a value that neither cipher has written. */
export function unknownForm(): BerbixStoreError {
  return new BerbixStoreError(
    'A stored value is in no form that this package writes: it was altered, or something else wrote it.',
  );
}
