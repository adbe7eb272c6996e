import { Logger } from '@nestjs/common';
import { isBerbixError } from '../../errors/index.js';
import type { SealedRecords, OpenedRecord } from '../../token-store/index.js';
import type { BerbixTokens } from '../berbix-tokens.js';
import { attemptAfter } from './attempt-after.js';
import type { BerbixTokenOptions } from './freshness.options.js';
import { conflictingTokensError, sentenceOf } from './renewal-errors.js';
import type { RenewalPolicy } from './renewal-policy.js';
import type { TokenSearch } from './renewal-progress.js';
import { notifyRotation } from './rotation-hook.js';
import { mergeOnto, recordAfter, withSuccessor, type Exchanged } from './settle.js';
import { localTokens, recordName, type TokenRecord } from './token-record.js';
import type { SeenTokens, TokenQuery, TokenRecords } from './token-records.js';

/** Milliseconds after which tokens with an unchanged refresh token are handed out unsaved. */
const SAVE_WITHIN_MS = 2_000;

/** Saves the result of an exchange, and notifies the application of a new refresh token. */
export class TokenSaver {
  readonly #logger = new Logger('BerbixTokenService');
  #isClosing = false;
  #sawRotation = false;

  constructor(
    private readonly sealed: SealedRecords,
    private readonly records: TokenRecords,
    private readonly policy: RenewalPolicy,
    private readonly onRotation: BerbixTokenOptions['onRotation'],
  ) {}

  /** From now on a store that cannot save is not waited for. */
  close(): void {
    this.#isClosing = true;
  }

  /**
   * Saves the result of an exchange before anyone gets it; undefined if the record has moved on
   * (I5, I8).
   */
  async save(
    { query, progress }: TokenSearch,
    seen: SeenTokens,
    exchanged: Exchanged,
  ): Promise<TokenRecord | undefined> {
    const { key, value } = seen;
    const { tokens, presented } = exchanged;
    const spent = value.refreshToken;
    let next = recordAfter(value, exchanged, this.policy.notifies);
    const isRotated = next.refreshToken !== spent;
    if (isRotated) progress.unsaved = tokens;
    if (next.refreshToken !== presented) this.#noticeRotation();
    const until = performance.now() + SAVE_WITHIN_MS;
    // I4: a new refresh token is saved for as long as the process lives.
    const keepTrying = (): boolean => (isRotated ? !this.#isClosing : performance.now() < until);
    let [isConflict, wasLost, isSaved] = [false, false, false];
    const merge = (current: OpenedRecord<TokenRecord>): TokenRecord | undefined => {
      const merged = mergeOnto(current, seen, next);
      isConflict = merged === 'conflict';
      wasLost ||= current.version === 0;
      // Keep both refresh tokens, whichever is newer. A reference cannot hold a spare.
      if (isConflict && current.value?.refreshToken)
        return withSuccessor(current.value, value, next);
      return typeof merged === 'object' ? (next = merged) : undefined;
    };
    try {
      isSaved = await this.sealed.commit(key, seen.version, next, keepTrying, merge);
      if (isConflict) throw conflictingTokensError();
      if (!isSaved) return undefined;
      await this.#referTo(key, query, next, spent);
      if (wasLost && next.customerUid !== undefined) {
        await this.records.refer(recordName.customer(next.customerUid), key, spent);
      }
      return next;
    } catch (error) {
      if (!isRotated && !isConflict) {
        // The stored refresh token still works, and so do these tokens.
        this.#logger.warn(`Fresh tokens could not be saved: ${sentenceOf(error)}`);
        return next;
      }
      const which = isSaved
        ? 'keeps their refresh token as a spare'
        : 'does not have their refresh token';
      this.#logger.error(
        `The tokens of an exchange could not be saved, and the store ${which}: ${sentenceOf(error)} Callers get them in \`error.tokens\`.`,
      );
      await this.#notifyAsLastResort(next, tokens, spent);
      throw isBerbixError(error) ? error.withTokens(tokens) : error;
    } finally {
      progress.unsaved = undefined;
    }
  }

  /** The store did not take the new refresh token; the application may be able to keep it. */
  async #notifyAsLastResort(
    { customerUid }: TokenRecord,
    tokens: BerbixTokens,
    previousRefreshToken: string,
  ): Promise<void> {
    const rotated = { tokens, previousRefreshToken, customerUid };
    await notifyRotation(this.onRotation, rotated, this.policy.hookTimeoutMs).catch(
      (error: unknown) => this.#logger.error(sentenceOf(error)),
    );
  }

  /** Adds the names under which callers may ask for the tokens. */
  async #referTo(
    key: string,
    { name }: TokenQuery,
    { transactionId, refreshToken }: TokenRecord,
    spent: string,
  ): Promise<void> {
    if (transactionId !== undefined && key.startsWith('session/')) {
      await this.records.refer(recordName.transaction(transactionId), key, spent);
    }
    if (name.startsWith('refresh-token/') && refreshToken !== spent) {
      await this.records.refer(recordName.refreshToken(refreshToken), key, spent);
    }
  }

  /** Notifies the application of a new refresh token, under the lease (I4). */
  async notify(seen: SeenTokens): Promise<undefined> {
    const { key, value, version, attempt } = seen;
    const lease = await this.sealed.lease(key, seen, this.policy.leaseMs, attempt);
    if (lease === undefined) return undefined;
    const { tokens } = localTokens(value, seen.moment);
    const { pendingRotation: previousRefreshToken = '', customerUid } = value;
    try {
      await notifyRotation(
        this.onRotation,
        { tokens, previousRefreshToken, customerUid },
        this.policy.hookTimeoutMs,
      );
    } catch (error) {
      const failed = attemptAfter(seen, { error, startedAt: undefined }, this.policy);
      await this.sealed.release(key, { version, fence: lease.fence }, failed);
      throw error;
    }
    const notified = { ...value, pendingRotation: undefined };
    const merge = (current: OpenedRecord<TokenRecord>): TokenRecord | undefined => {
      const merged = mergeOnto(current, seen, notified);
      return typeof merged === 'object' ? merged : undefined;
    };
    await this.sealed.commit(key, version, notified, () => false, merge);
    return undefined;
  }

  #noticeRotation(): void {
    if (this.policy.rotation !== 'none' || this.#sawRotation) return;
    this.#sawRotation = true;
    this.#logger.error(
      "The API has replaced a refresh token, though freshness.rotation is 'none'. The new one is kept; set freshness.rotation, so that a crash in the middle of an exchange is handled with more care.",
    );
  }
}
