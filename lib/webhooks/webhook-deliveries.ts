import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { BerbixStoreError } from '../errors/index.js';
import {
  isOverlong,
  type CheckedStore,
  type SeenRecord,
  type StoredRecord,
} from '../token-store/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';

/**
 * What became of a delivery.
 *
 * - `handled`: the handlers ran.
 * - `repeated`: the same was handled before, and nothing else since.
 * - `busy`: a delivery of this kind for this transaction is being handled, here or elsewhere.
 * - `ignored`: there is no handler, and `webhooks.confirmUnhandled` is set.
 */
export type BerbixWebhookOutcome = 'handled' | 'repeated' | 'busy' | 'ignored';

/** What was handled last, of one kind for one transaction. */
export interface WebhookMark {
  /** Of the content. */
  hash: string;
  /** The store's clock, in milliseconds since 1970. */
  at: number;
}

/**
 * Has a delivery handled once. Deliveries have no id, and each try is signed anew, so that only the
 * content tells them apart. An action may go from accept to review and back to accept, and the third
 * delivery is equal to the first. Hence a delivery counts as repeated only if it is equal to what was
 * handled last for this transaction: one that comes late is handled again rather than a change lost.
 *
 * One record for each kind and transaction; its lease keeps others away while handlers run.
 */
export class WebhookDeliveries {
  readonly #logger = new Logger('BerbixWebhooks');

  /**
   * @param prefix of all keys
   * @param leaseMs milliseconds for which a delivery is kept from others while it is handled
   */
  constructor(
    private readonly store: CheckedStore,
    private readonly prefix: string,
    private readonly leaseMs: number,
  ) {}

  /**
   * @param work rejects if the delivery should come again
   * @throws what the work throws; {@link BerbixStoreError} if the store failed before it
   */
  async once(
    webhook: BerbixWebhookDto,
    work: () => Promise<void>,
  ): Promise<Exclude<BerbixWebhookOutcome, 'ignored'>> {
    const key = `${this.prefix}${webhook.kind}/${webhook.transactionId}`;
    const hash = hashOf(webhook);
    const record = await this.#load(key);
    if (isRepeated(record, hash)) return 'repeated';
    const { version, fence } = record ?? { version: 0, fence: 0 };
    const lease = await this.store.lease(key, { version, fence }, this.leaseMs, '');
    if (lease === undefined) {
      // Perhaps it was handled between the two steps.
      return isRepeated(await this.store.load(key), hash) ? 'repeated' : 'busy';
    }
    try {
      await work();
    } catch (error) {
      await this.#release(key, { version, fence: lease.fence });
      throw error;
    }
    await this.#commit(key, version, { hash, at: lease.now });
    return 'handled';
  }

  /** Ends a lease that is longer than any that is taken here. */
  async #load(key: string): Promise<StoredRecord | undefined> {
    const record = await this.store.load(key);
    if (record === undefined || !isOverlong(record.leasedForMs, this.leaseMs)) return record;
    await this.store.release(key, record, '');
    return { ...record, leasedForMs: 0 };
  }

  /** The work is done: a delivery that came again because of a failure here would only do it twice. */
  async #commit(key: string, version: number, mark: WebhookMark): Promise<void> {
    try {
      const committed = await this.store.commit(key, version, JSON.stringify(mark));
      if (committed !== undefined) return;
      this.#logger.warn(
        `A webhook was handled twice: its handlers took longer than ${this.leaseMs} ms. Make them ` +
          'quicker, or webhooks.leaseMs longer.',
      );
    } catch (error) {
      this.#logger.error(
        `A webhook was handled, but that could not be noted; it may be handled again. ${(error as BerbixStoreError).message}`,
      );
    }
  }

  async #release(key: string, seen: SeenRecord): Promise<void> {
    try {
      await this.store.release(key, seen, '');
    } catch (error) {
      this.#logger.error(
        `A webhook that failed can be handled again in ${this.leaseMs} ms only. ${(error as BerbixStoreError).message}`,
      );
    }
  }
}

/**
 * Whether it is equal to what was handled last, and nothing is being handled that will come after it:
 * what is equal to the last but one is no repetition.
 */
function isRepeated(record: StoredRecord | undefined, hash: string): boolean {
  return (
    record?.value !== undefined && record.leasedForMs === 0 && readMark(record.value)?.hash === hash
  );
}

/** What is in the value of a record; undefined if it is none of ours. */
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

/** Equal for equal bodies: the fields are in one order, those that are unknown in that of the body. */
function hashOf(webhook: BerbixWebhookDto): string {
  const { kind, transactionId, customerUid, action, dashboardLink, others } = webhook;
  return createHash('sha256')
    .update(JSON.stringify([kind, transactionId, customerUid, action, dashboardLink, others]))
    .digest('base64url');
}
