import { Inject, Injectable } from '@nestjs/common';
import { withTimeout } from '../concurrency/index.js';
import { BerbixStoreError, sentenceOf } from '../errors/index.js';
import { BerbixHttp } from '../http/index.js';
import { CheckedStore } from '../token-store/index.js';
import { BerbixTokenService } from '../tokens/index.js';

/** Milliseconds for the answer of the store: by default, a probe of Kubernetes waits one second. */
const STORE_LIMIT_MS = 500;

/** Whether an account can serve now. */
export interface BerbixHealthStatus {
  /**
   * - `up`: nothing is known to be wrong.
   * - `degraded`: Berbix or the store is down, and only known tokens are served.
   * - `down`: nothing new can be served: the API secret is refused, or the store is down and memory
   *   has no tokens that are still valid.
   */
  readonly status: 'up' | 'degraded' | 'down';
  /**
   * `down` while calls are blocked because Berbix failed too often, the API secret is refused, or the
   * function that returns it fails. Half a minute without a call ends this: a replica that gets no
   * requests could not find out otherwise.
   */
  readonly berbix: 'up' | 'down';
  /** `down` if it fails, or does not answer within half a second. */
  readonly store: 'up' | 'down';
  /** What is wrong, and what to do; undefined if nothing is. */
  readonly message?: string | undefined;
}

/**
 * The health of an account, from the results of real calls to Berbix and one small read of the
 * store. It never calls Berbix. Use it for readiness at most, never for liveness: a restart repairs
 * none of this, and loses the tokens in memory.
 */
@Injectable()
export class BerbixHealthService {
  constructor(
    @Inject(BerbixHttp) private readonly http: BerbixHttp,
    @Inject(CheckedStore) private readonly store: CheckedStore,
    @Inject(BerbixTokenService) private readonly tokens: BerbixTokenService,
  ) {}

  /**
   * Resolves to the status within half a second; never rejects.
   *
   * @example
   * ```ts
   * const { status, message } = await this.health.check();
   * ```
   */
  async check(): Promise<BerbixHealthStatus> {
    const { isCircuitOpen, secretProblem } = this.http.state;
    const storeProblem = await this.#storeProblem();
    const berbix = isCircuitOpen || secretProblem !== undefined ? 'down' : 'up';
    const store = storeProblem === undefined ? 'up' : 'down';
    const problems = [
      secretProblem === 'refused' &&
        'Berbix refuses the API secret. Check apiSecret and its mode (test or live).',
      secretProblem === 'missing' &&
        'The function given as apiSecret failed, so Berbix cannot be called.',
      isCircuitOpen &&
        'Berbix failed too often in the last seconds, so calls are blocked for a while.',
      storeProblem,
    ].filter((problem) => typeof problem === 'string');
    if (problems.length === 0) return { status: 'up', berbix, store };
    const isDown =
      secretProblem === 'refused' || (store === 'down' && !this.tokens.stored.memory.hasUsable);
    return { status: isDown ? 'down' : 'degraded', berbix, store, message: problems.join(' ') };
  }

  async #storeProblem(): Promise<string | undefined> {
    try {
      await withTimeout(
        () => this.store.ping(),
        STORE_LIMIT_MS,
        () =>
          new BerbixStoreError(
            `The token store (${this.store.description}) did not answer within ${STORE_LIMIT_MS} ms.`,
          ),
      );
      return undefined;
    } catch (error) {
      return sentenceOf(error);
    }
  }
}
