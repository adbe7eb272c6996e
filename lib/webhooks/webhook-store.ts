import { defer, firstValueFrom, timeout } from 'rxjs';
import type { BerbixTokenStore } from '../token-store/index.js';
import { storeFailure } from '../token-store/store-failure.js';

/** Berbix waits for the answer: who asked is told after so many milliseconds that there is none. */
export const ANSWER_WITHIN_MS = 5_000;

/**
 * What something of the application's answers, if it does in time.
 *
 * @throws (as a rejection) the TimeoutError of RxJS when it does not
 */
export function inTime<T>(call: () => Promise<T> | T): Promise<T> {
  return firstValueFrom(defer(async () => call()).pipe(timeout(ANSWER_WITHIN_MS)));
}

type Verb = 'load' | 'lease' | 'commit' | 'release' | 'forget' | 'keys';

/** The store as webhooks use it: every call has a time limit, every failure is a {@link BerbixStoreError}. */
export class WebhookStore implements Pick<BerbixTokenStore, Verb> {
  constructor(private readonly store: BerbixTokenStore) {}

  load: BerbixTokenStore['load'] = (...args) => this.#ask((store) => store.load(...args));
  lease: BerbixTokenStore['lease'] = (...args) => this.#ask((store) => store.lease(...args));
  commit: BerbixTokenStore['commit'] = (...args) => this.#ask((store) => store.commit(...args));
  release: BerbixTokenStore['release'] = (...args) => this.#ask((store) => store.release(...args));
  forget: BerbixTokenStore['forget'] = (...args) => this.#ask((store) => store.forget(...args));
  keys: BerbixTokenStore['keys'] = (...args) => this.#ask((store) => store.keys(...args));

  async #ask<T>(call: (store: BerbixTokenStore) => Promise<T>): Promise<T> {
    try {
      return await inTime(() => call(this.store));
    } catch (error) {
      throw storeFailure(this.store.description, error);
    }
  }
}
