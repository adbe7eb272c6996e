import { Logger } from '@nestjs/common';
import { Limiter } from '../concurrency/index.js';
import { isBerbixError, logLine } from '../errors/index.js';
import type { EventBus } from '../events/index.js';
import {
  hasTokens,
  isReference,
  mergeOnto,
  withSuccessor,
  localTokens,
  isNameOfRefreshToken,
  recordName,
  resolveRecord,
  storeTime,
  type Exchanged,
  type NamedRecord,
  type Reference,
  type TokenRecord,
  type SeenTokens,
  type TokenNames,
} from '../records/index.js';
import type { SealedRecords } from '../token-store/index.js';
import type { BerbixTokens } from '../values/index.js';
import { attemptAfter } from './attempt-after.js';
import type { BerbixTokenOptions, FreshnessSettings } from './freshness.options.js';
import { conflictingTokensError } from './renewal-errors.js';
import { isNotificationOwed, type RenewalPolicy } from './renewal-state.js';
import { notifyRotation } from './rotation-hook.js';

/** Milliseconds after which tokens with an unchanged refresh token are handed out unsaved. */
const SAVE_WITHIN_MS = 2_000;

/** The options that govern saving. */
export interface SavingPolicy extends RenewalPolicy, Pick<FreshnessSettings, 'connections'> {
  readonly onRotation: BerbixTokenOptions['onRotation'];
}

/** Saves the result of an exchange, and notifies the application of a new refresh token. */
export class TokenSaver {
  readonly #logger = new Logger('BerbixTokenService');
  #sawRotation = false;
  /**
   * The owners of new refresh tokens, by the key of their record, of which the application has not
   * been notified. Only those that are lost when this process ends.
   */
  readonly #unnotified = new Map<string, Pick<TokenRecord, 'transactionId' | 'customerUid'>>();

  /** @param closing once it is aborted, a store that cannot save is not waited for */
  constructor(
    private readonly sealed: SealedRecords,
    private readonly names: TokenNames,
    private readonly policy: SavingPolicy,
    private readonly events: EventBus,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * Saves the record after an exchange. Resolves to what was saved, or undefined if the record has
   * moved on (I5, I8).
   *
   * @param name under which the tokens were asked for
   */
  async save(
    seen: SeenTokens,
    next: TokenRecord,
    { tokens, presented }: Exchanged,
    name: string,
  ): Promise<TokenRecord | undefined> {
    if (next.refreshToken !== presented) this.#noticeRotation();
    const write = new PendingWrite(seen, next);
    let isSaved = false;
    try {
      isSaved = await this.#commit(write);
      if (write.isConflict) throw conflictingTokensError();
      if (!isSaved) return undefined;
      this.#noteUnnotified(write.movedTo ?? seen.key, write.next);
      await this.#refer(write, name);
      return write.next;
    } catch (error) {
      if (!write.isRotated && !write.isConflict) {
        // The stored refresh token still works, and so do these tokens.
        this.#logger.warn(logLine('Fresh tokens could not be saved:', error));
        return write.next;
      }
      const which = isSaved
        ? 'keeps their refresh token as a spare'
        : 'does not have their refresh token';
      this.#logger.error(
        logLine(
          `The tokens of an exchange could not be saved, and the store ${which}. Callers get them in \`error.tokens\`.`,
          error,
        ),
      );
      const { transactionId, customerUid } = write.next;
      if (!isSaved) this.events.emit('token.unsaved', () => ({ transactionId, customerUid }));
      await this.#notifyAsLastResort(write, tokens);
      throw isBerbixError(error) ? error.withTokens(tokens) : error;
    }
  }

  /** Notifies the application of a new refresh token, under the lease (I4). */
  async notify(seen: SeenTokens): Promise<undefined> {
    const { key, value, version, attempt } = seen;
    const lease = await this.sealed.lease(key, seen, this.policy.leaseMs, attempt);
    if (lease === undefined) return undefined;
    const { tokens } = localTokens(value, seen.moment);
    const { pendingRotation: previousRefreshToken = '', customerUid } = value;
    const { policy } = this;
    try {
      await notifyRotation(
        this.policy.onRotation,
        { tokens, previousRefreshToken, customerUid },
        policy.hookTimeoutMs,
      );
    } catch (error) {
      const state = { value, attempt, now: storeTime(seen) };
      const failed = attemptAfter(state, { error, startedAt: undefined }, policy);
      const held = { version, leaseEpoch: lease.leaseEpoch };
      await this.sealed.release(key, held, failed).catch((storeError: unknown) => {
        this.#logger.warn(logLine('A failed onRotation could not be noted:', storeError));
      });
      throw error;
    }
    const notified = { ...value, pendingRotation: undefined };
    const merge = (current: NamedRecord): TokenRecord | undefined => {
      const merged = mergeOnto(current, seen, notified);
      return typeof merged === 'object' ? merged : undefined;
    };
    await this.sealed.commit<TokenRecord | Reference>(key, version, notified, { merge });
    this.#unnotified.delete(key);
    return undefined;
  }

  /** Commits to the record that was read, or to the one to which it has begun to refer. */
  async #commit(write: PendingWrite): Promise<boolean> {
    const { seen, next, merge } = write;
    const how = { keepTrying: this.#keepTrying(write.isRotated), merge };
    if (await this.sealed.commit<TokenRecord | Reference>(seen.key, seen.version, next, how)) {
      return true;
    }
    // I4: only a new refresh token would be lost. The version is unknown, so it is merged.
    if (write.movedTo === undefined || !write.isRotated) return false;
    return this.sealed.commit<TokenRecord | Reference>(write.movedTo, 0, next, how);
  }

  /** At shutdown: notifies the application of what would be lost, once more and without a pause. */
  async notifyAgain(): Promise<void> {
    const turns = new Limiter(this.policy.connections);
    const notify = async (key: string): Promise<void> => {
      const { seen } = await resolveRecord(this.sealed, key);
      const isOwed = hasTokens(seen) && isNotificationOwed(seen.value, this.policy);
      if (isOwed) await this.notify(seen);
      if (!isOwed || seen.key !== key) this.#unnotified.delete(key);
    };
    const keys = [...this.#unnotified.keys()];
    await Promise.allSettled(keys.map((key) => turns.run(() => notify(key))));
  }

  /** Reports the new refresh tokens that are lost with this process. */
  reportUnnotified(): void {
    const { size } = this.#unnotified;
    if (size === 0) return;
    this.#logger.error(
      `The application shut down before onRotation had succeeded with ${size} new refresh tokens, which were only in its memory.`,
    );
    for (const owner of this.#unnotified.values()) this.events.emit('token.unsaved', () => owner);
    this.#unnotified.clear();
  }

  #noteUnnotified(key: string, { pendingRotation, transactionId, customerUid }: TokenRecord): void {
    if (pendingRotation === undefined || !this.sealed.endWithProcess) return;
    this.#unnotified.set(key, { transactionId, customerUid });
  }

  /** I4: a new refresh token is saved for as long as the process lives. */
  #keepTrying(isRotated: boolean): () => boolean {
    const until = performance.now() + SAVE_WITHIN_MS;
    return () => (isRotated ? !this.closing.aborted : performance.now() < until);
  }

  /** The store did not take the new refresh token; the application may be able to keep it. */
  async #notifyAsLastResort({ seen, next }: PendingWrite, tokens: BerbixTokens): Promise<void> {
    const { customerUid } = next;
    const rotated = { tokens, previousRefreshToken: seen.value.refreshToken, customerUid };
    await notifyRotation(this.policy.onRotation, rotated, this.policy.hookTimeoutMs).catch(
      (error: unknown) => this.#logger.error(logLine('', error)),
    );
  }

  /** Adds the names under which callers may ask for the tokens. */
  async #refer({ seen, next, wasLost }: PendingWrite, name: string): Promise<void> {
    const { key, value } = seen;
    const { customerUid, refreshToken } = next;
    const spent = value.refreshToken;
    await this.names.referTransaction(key, next, spent);
    if (refreshToken !== spent) await this.names.referSpent(key, spent);
    if (isNameOfRefreshToken(name) && refreshToken !== spent) {
      await this.names.refer(recordName.refreshToken(refreshToken), key, spent);
    }
    if (wasLost && customerUid !== undefined) {
      await this.names.refer(recordName.customer(customerUid), key, spent);
    }
  }

  #noticeRotation(): void {
    if (this.policy.rotation !== 'none' || this.#sawRotation) return;
    this.#sawRotation = true;
    this.#logger.error(
      "The API has replaced a refresh token, though freshness.rotation is 'none'. The new one is kept; set freshness.rotation, so that a crash in the middle of an exchange is handled with more care.",
    );
  }
}

/** A record to be saved, which changes if another replica has changed the stored one meanwhile. */
class PendingWrite {
  /** Whether the store has an unrelated refresh token, and this one is saved as its spare. */
  isConflict = false;
  /** Whether the store had lost the record. */
  wasLost = false;
  /** The key of the record with the tokens, if another replica has found that there are two. */
  movedTo: string | undefined;

  constructor(
    readonly seen: SeenTokens,
    public next: TokenRecord,
  ) {}

  get isRotated(): boolean {
    return this.next.refreshToken !== this.seen.value.refreshToken;
  }

  readonly merge = (current: NamedRecord): TokenRecord | undefined => {
    const { seen, next } = this;
    const merged = mergeOnto(current, seen, next);
    this.isConflict = merged === 'conflict';
    this.wasLost ||= current.version === 0;
    if (isReference(current.value)) this.movedTo = current.value.see;
    // A conflict keeps both refresh tokens, whichever is newer.
    if (this.isConflict && hasTokens(current)) {
      return withSuccessor(current.value, seen.value, next);
    }
    if (typeof merged === 'string') return undefined;
    this.next = merged;
    return merged;
  };
}
