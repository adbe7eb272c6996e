import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { logLine } from '../errors/index.js';
import type { CheckedStore, RecordRevision, StoredRecord } from '../token-store/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';

/**
 * The outcome of a delivery.
 *
 * - `handled`: the handlers ran.
 * - `repeated`: an equal webhook was the last one handled.
 * - `busy`: another delivery of this kind for this transaction is being handled, here or elsewhere.
 * - `ignored`: there is no handler, and `webhooks.confirmUnhandled` is set.
 */
export type BerbixWebhookOutcome = 'handled' | 'repeated' | 'busy' | 'ignored';

/** The webhook of a kind that was handled last for a transaction. */
export interface WebhookMark {
  /** The hash of its content. */
  hash: string;
  /** When it was handled, by the store's clock, in milliseconds since 1970. */
  at: number;
}

/**
 * Handles each delivery once. Deliveries have no id, and each retry has a new signature, so they
 * can be compared only by content. An action may change from accept to review and back to accept;
 * the third delivery is then equal to the first. So a delivery counts as repeated only if it is
 * equal to the last one handled for its transaction. A late one may be handled again, but no change
 * is lost.
 *
 * There is one record for each kind and transaction. Its lease prevents concurrent handling.
 */
export class WebhookDeliveries {
  readonly #logger = new Logger('BerbixWebhooks');

  /**
   * @param prefix of all keys
   * @param leaseMs milliseconds for which other deliveries wait while handlers run
   */
  constructor(
    private readonly store: CheckedStore,
    private readonly prefix: string,
    private readonly leaseMs: number,
  ) {}

  /**
   * Runs the work unless the webhook is a repetition.
   *
   * @param work rejects if the webhook should be delivered again
   * @throws (as a rejection) the error of the work; {@link BerbixStoreError} if the store failed
   * before
   */
  async once(
    webhook: BerbixWebhookDto,
    work: () => Promise<void>,
  ): Promise<Exclude<BerbixWebhookOutcome, 'ignored'>> {
    const key = `${this.prefix}${webhook.kind}/${webhook.transactionId}`;
    const hash = hashContent(webhook);
    const record = await this.store.load(key, this.leaseMs);
    if (isRepeated(record, hash)) return 'repeated';
    const { version, leaseEpoch } = record ?? { version: 0, leaseEpoch: 0 };
    const lease = await this.store.lease(key, { version, leaseEpoch }, this.leaseMs, '');
    if (lease === undefined) {
      // It may have been handled between the two steps.
      return isRepeated(await this.store.load(key), hash) ? 'repeated' : 'busy';
    }
    try {
      await work();
    } catch (error) {
      await this.#release(key, { version, leaseEpoch: lease.leaseEpoch });
      throw error;
    }
    await this.#commit(key, version, { hash, at: lease.now });
    return 'handled';
  }

  /** Does not throw: the work is done, and another delivery would only repeat it. */
  async #commit(key: string, version: number, mark: WebhookMark): Promise<void> {
    const value = JSON.stringify(mark);
    try {
      if ((await this.store.commit(key, version, value)) !== undefined) return;
      // A driver that had no answer may send a commit twice: the second one finds the first.
      if ((await this.store.load(key))?.value === value) return;
      this.#logger.warn(
        `A webhook was handled twice: its handlers took longer than ${this.leaseMs} ms. Make them ` +
          'faster, or raise webhooks.leaseMs.',
      );
    } catch (error) {
      this.#logger.error(
        logLine(
          'A webhook was handled, but that could not be stored; it may be handled again.',
          error,
        ),
      );
    }
  }

  async #release(key: string, expected: RecordRevision): Promise<void> {
    try {
      await this.store.release(key, expected, '');
    } catch (error) {
      this.#logger.error(
        logLine(`A failed webhook cannot be handled again for ${this.leaseMs} ms.`, error),
      );
    }
  }
}

/**
 * Whether the last webhook handled was equal. Not while another one is being handled: that will
 * then be the last.
 */
function isRepeated(record: StoredRecord | undefined, hash: string): boolean {
  return (
    record?.value !== undefined && record.leasedForMs === 0 && readMark(record.value)?.hash === hash
  );
}

/** Parses the value of a record; undefined if it is not a mark. */
export function readMark(value: string): WebhookMark | undefined {
  try {
    const mark = JSON.parse(value) as Partial<WebhookMark> | null;
    return typeof mark?.hash === 'string' && typeof mark.at === 'number'
      ? { hash: mark.hash, at: mark.at }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The hash of the content, with the known fields in a fixed order. */
function hashContent(webhook: BerbixWebhookDto): string {
  const { kind, transactionId, customerUid, action, dashboardLink, others } = webhook;
  return createHash('sha256')
    .update(JSON.stringify([kind, transactionId, customerUid, action, dashboardLink, others]))
    .digest('base64url');
}
