import type { WireReader } from '../../http/index.js';
import type { WebhookKind } from '../../wire/index.js';

/**
 * A webhook that was checked. It tells that something happened, not what is true now: deliveries
 * come late, twice and in any order. Fetch the transaction where the order matters.
 */
export class BerbixWebhookDto {
  /** `finished`: the flow was completed. `status`: the action was determined or changed. */
  kind!: WebhookKind;
  /** The digits of a 64-bit integer. */
  transactionId!: string;
  customerUid!: string;
  /** `accept`, `reject`, `review` or another of the account's; undefined while it is not determined. */
  action?: string | undefined;
  /** The transaction in the dashboard. */
  dashboardLink?: string | undefined;
  /** Fields of the body that are not known here, as they came. */
  others!: Record<string, unknown>;

  /** From the body of a webhook; what is wrong with it is in `reader.problems`. @internal */
  static fromWire(kind: WebhookKind, reader: WireReader): BerbixWebhookDto {
    const transactionId = reader.id('transaction_id');
    const { id, ...others } = reader.others(
      'transaction_id',
      'customer_uid',
      'action',
      'dashboard_link',
    );
    return Object.assign(new BerbixWebhookDto(), {
      kind,
      transactionId,
      customerUid: reader.required('customer_uid'),
      action: reader.string('action'),
      dashboardLink: reader.string('dashboard_link'),
      // The same as transaction_id in the one delivery that is known. [sdk: go berbix_test.go]
      others: id === undefined || String(id) === transactionId ? others : { id, ...others },
    });
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      kind: { required: true, enum: ['finished', 'status'] },
      transactionId: { required: true, type: () => String },
      customerUid: { required: true, type: () => String },
      action: { required: false, type: () => String },
      dashboardLink: { required: false, type: () => String },
      others: { required: true, type: () => Object },
    };
  }
}
