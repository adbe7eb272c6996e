import { Logger } from '@nestjs/common';
import { BerbixConfigurationError, isBerbixError } from '../errors/index.js';
import type { CheckedStore } from '../token-store/index.js';
import type { FreshnessSettings } from './freshness/index.js';
import type { BerbixTokenAccountOptions } from './token.options.js';

/** @throws {BerbixConfigurationError} if tokens could be lost with this store */
export function checkStore(
  store: CheckedStore,
  rotation: FreshnessSettings['rotation'],
  { onRotation }: BerbixTokenAccountOptions,
): void {
  if (rotation !== 'none' && !store.durable && onRotation === undefined) {
    throw new BerbixConfigurationError(
      `freshness.rotation says that the API replaces refresh tokens, and a crash of the store (${store.description}) would lose the new ones. Use a durable store (for Redis: \`durable: true\` once it writes through to disk), or keep them yourself with onRotation.`,
    );
  }
}

/**
 * Checks the store at the start. A transient failure, such as an outage, is only a warning: it must
 * not stop a rolling restart.
 *
 * @throws {BerbixStoreError} (as a rejection) if the store is not set up correctly
 */
export async function probeStore(store: CheckedStore): Promise<void> {
  try {
    await store.check();
  } catch (error) {
    if (!isBerbixError(error) || !error.retryable) throw error;
    new Logger('BerbixModule').warn(
      `The application starts without its token store, and answers 503 until it is back. ${error.message}`,
    );
  }
}

/** Logs at the start where tokens are kept, and the consequences. */
export function reportStore(
  store: CheckedStore,
  { account, encryption }: BerbixTokenAccountOptions,
): void {
  const logger = new Logger('BerbixModule');
  const whose = account === 'default' ? '' : ` of the account "${account}"`;
  const kept = `Tokens${whose} are kept in ${store.description}`;
  if (!store.shared) {
    const restart = store.durable ? '' : ', and a restart loses what was remembered';
    logger.log(`${kept}: replicas do not share them${restart}. Give a shared store for that.`);
  }
  // Encryption does not matter for the memory of one process, which has the keys too.
  if (!store.shared && !store.durable) return;
  if (encryption === undefined) {
    logger.warn(
      `${kept} in clear: whoever can read it can act in your customers' place. Set encryption.`,
    );
  } else if (encryption.acceptPlaintext === true) {
    logger.warn(
      `${kept}, encrypted as they are written. Values in clear are accepted too (encryption.acceptPlaintext): re-encrypt what is there, and turn that off.`,
    );
  } else if (store.shared) {
    logger.log(`${kept}, encrypted.`);
  }
}
