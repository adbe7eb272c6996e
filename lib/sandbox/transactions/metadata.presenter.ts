import { Inject, Injectable } from '@nestjs/common';
import { METADATA_ENTITY } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { ImagesPresenter } from '../images/images.presenter.js';
import { ActionMap } from './action-map.js';
import { dashboardUrlOf } from './dashboard-url.js';
import { presentField } from './field.presenter.js';
import { type CompletedTransaction, isCompleted, type Transaction } from './transaction.js';
import { Transactions } from './transactions.js';

/** The account may ask for fewer fields. */
@Injectable()
export class MetadataPresenter {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ActionMap) private readonly actionMap: ActionMap,
    @Inject(ImagesPresenter) private readonly images: ImagesPresenter,
  ) {}

  /** What `GET` and `PATCH /v0/transactions` answer. [doc: reference/gettransactionmetadata] */
  async present(transaction: Transaction): Promise<ApiJson> {
    const { id, mode, customerUid, createdAt } = transaction;
    return {
      entity: METADATA_ENTITY,
      id: BigInt(id),
      customer_uid: customerUid,
      ...(isCompleted(transaction) ? this.#resultOf(transaction) : NO_RESULT),
      duplicates: await this.#duplicatesOf(transaction),
      created_at: new Date(createdAt).toISOString(),
      dashboard_url: dashboardUrlOf(id),
      // ASSUMPTION: what it says.
      implementation_info: mode === 'test' ? 'The sandbox of nestjs-berbix.' : undefined,
    };
  }

  #resultOf(transaction: CompletedTransaction) {
    const { action, flags, fields, completedAt } = transaction.state;
    const presented = Object.entries(fields).map(([name, value]) => presentField(name, value));
    return {
      action,
      flags,
      fields: Object.fromEntries(presented),
      images: this.images.present(transaction),
      completed_at: new Date(completedAt).toISOString(),
      // ASSUMPTION: all of it; the schema is not public.
      action_map_results: {
        conditions: flags.map((flag) => ({ flag, action: this.actionMap.actionFor([flag]) })),
      },
    };
  }

  async #duplicatesOf(transaction: Transaction): Promise<ApiJson> {
    if (!isCompleted(transaction)) return [];
    const duplicates = await this.transactions.duplicatesOf(transaction);
    return duplicates.map(({ id, customerUid }) => ({
      customer_uid: customerUid,
      transaction_id: BigInt(id),
    }));
  }
}

/**
 * What an unfinished transaction has instead. [sdk: php examples/transaction.php] [3p: idx 7431624753]
 * ASSUMPTION: 200 rather than 202.
 */
const NO_RESULT = { action: '', flags: [], fields: {} };
