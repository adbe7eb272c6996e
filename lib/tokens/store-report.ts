import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { BerbixConfigurationError, isBerbixError, logLine } from '../errors/index.js';
import { checkBoolean, ofAccount } from '../options/index.js';
import type { FreshnessSettings } from '../renewal/index.js';
import { CheckedStore } from '../token-store/index.js';
import { BERBIX_TOKEN_OPTIONS, type BerbixTokenAccountOptions } from './token.options.js';

/** @throws {BerbixConfigurationError} if tokens could be lost with this store */
export function checkStore(
  store: CheckedStore,
  rotation: FreshnessSettings['rotation'],
  { onRotation }: BerbixTokenAccountOptions,
): void {
  if (rotation !== 'none' && !store.durable && onRotation === undefined) {
    throw new BerbixConfigurationError(
      `With this freshness.rotation, the API replaces refresh tokens, and a crash of the store (${store.description}) would lose the new ones. Use a durable store (for Redis: set \`durable: true\` if it writes to disk), or save them yourself with onRotation.`,
    );
  }
}

/**
 * Whether tokens must not be saved: this is production, where the next restart would lose them.
 *
 * @throws {BerbixConfigurationError} if `allowInMemoryStore` is not true or false
 */
function refusesTokens(
  { shared, durable }: CheckedStore,
  { allowInMemoryStore }: BerbixTokenAccountOptions,
): boolean {
  const isAllowed = checkBoolean('allowInMemoryStore', allowInMemoryStore);
  return !isAllowed && !shared && !durable && process.env['NODE_ENV'] === 'production';
}

/**
 * The check before tokens are saved, which throws a {@link BerbixConfigurationError} if the next
 * restart of production would lose them.
 *
 * @throws {BerbixConfigurationError} if `allowInMemoryStore` is not true or false
 */
export function checkBeforeSaving(
  store: CheckedStore,
  options: BerbixTokenAccountOptions,
): () => void {
  const isRefused = refusesTokens(store, options);
  return () => {
    if (!isRefused) return;
    throw new BerbixConfigurationError(
      `In production (NODE_ENV), tokens${ofAccount(options.account)} are not saved in ${store.description}: the next restart would lose them, and with them the verifications of your customers. Set the option store, such as new PostgresTokenStore(pool); or set allowInMemoryStore: true, if they may be lost.`,
    );
  };
}

/** Checks the store when the application starts, and logs where tokens are stored. */
@Injectable()
export class StoreReport implements OnApplicationBootstrap {
  readonly #logger = new Logger('BerbixModule');

  constructor(
    @Inject(CheckedStore) private readonly store: CheckedStore,
    @Inject(BERBIX_TOKEN_OPTIONS) private readonly options: BerbixTokenAccountOptions,
  ) {}

  /**
   * A transient failure, such as an outage, is only a warning: it must not stop a rolling restart.
   *
   * @throws {BerbixStoreError} (as a rejection, which stops the boot) if the store is not set up
   */
  async onApplicationBootstrap(): Promise<void> {
    this.#report();
    try {
      await this.store.check();
    } catch (error) {
      if (!isBerbixError(error) || !error.retryable) throw error;
      this.#logger.warn(
        logLine(
          'The application starts without its token store, and answers 503 until it is back.',
          error,
        ),
      );
    }
  }

  /** Where tokens are stored, and the consequences. */
  #report(): void {
    const { store, options } = this;
    const { account, encryption } = options;
    const stored = `Tokens${ofAccount(account)} are stored in ${store.description}`;
    if (!store.shared) {
      const restart = store.durable ? '' : ', and a restart loses them';
      const refused = refusesTokens(store, options)
        ? ' In production (NODE_ENV), remember() and begin() therefore fail, unless you set allowInMemoryStore.'
        : '';
      this.#logger.log(
        `${stored}: replicas do not share them${restart}. Set the option store to a shared store for that.${refused}`,
      );
    }
    // Encryption does not matter for the memory of one process, which has the keys too.
    if (!store.shared && !store.durable) return;
    if (encryption === undefined) {
      this.#logger.warn(
        `${stored} as plaintext: anybody who can read it can act for your customers. Set the option encryption.`,
      );
    } else if (encryption.acceptPlaintext === true) {
      this.#logger.warn(
        `${stored}, encrypted. Plaintext values are still accepted (encryption.acceptPlaintext): re-encrypt the store, and then turn this off.`,
      );
    } else if (store.shared) {
      this.#logger.log(`${stored}, encrypted.`);
    }
  }
}
