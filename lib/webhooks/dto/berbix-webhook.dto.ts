import { isUtf8 } from 'node:buffer';
import { BerbixWebhookBodyError } from '../../errors/index.js';
import { WEBHOOK_KINDS, WireReader, parseJson, type WebhookKind } from '../../wire/index.js';

/**
 * A webhook whose signature was checked. It says that something happened, not what is true now:
 * deliveries may come late, twice and in any order. Fetch the transaction if that matters.
 */
export class BerbixWebhookDto {
  /** `finished`: the customer completed the flow. `status`: the action was set or changed. */
  kind!: WebhookKind;
  /** The digits of a 64-bit integer. */
  transactionId!: string;
  /** Your own id of the user. */
  customerUid!: string;
  /**
   * `accept`, `reject`, `review` or a custom action of the account; undefined while there is none.
   */
  action?: string | undefined;
  /** The URL of the transaction in the dashboard. */
  dashboardLink?: string | undefined;
  /** All other fields of the body, unchanged. */
  others!: Record<string, unknown>;

  /** From the body of a webhook; its mistakes are in `reader.problems`. @internal */
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
      // The same as transaction_id in the only known delivery. [sdk: go berbix_test.go]
      others: id === undefined || String(id) === transactionId ? others : { id, ...others },
    });
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      kind: {
        required: true,
        enum: [...WEBHOOK_KINDS],
        description:
          '`finished`: the customer completed the flow. `status`: the action was set or changed.',
      },
      transactionId: {
        required: true,
        type: () => String,
        pattern: '^\\d+$',
        description: 'The digits of a 64-bit integer.',
      },
      customerUid: { required: true, type: () => String, description: 'Your own id of the user.' },
      action: {
        required: false,
        type: () => String,
        description:
          '`accept`, `reject`, `review` or a custom action of the account; undefined while there is none.',
      },
      dashboardLink: {
        required: false,
        type: () => String,
        description: 'The URL of the transaction in the dashboard.',
      },
      others: {
        required: true,
        type: 'object',
        additionalProperties: true,
        description: 'All other fields of the body, unchanged.',
      },
    };
  }
}

/**
 * Reads the body of a webhook whose signature was checked.
 *
 * @throws {BerbixWebhookBodyError} that names the field, without its value
 */
export function readWebhook(kind: WebhookKind, rawBody: Uint8Array): BerbixWebhookDto {
  const body = parse(rawBody);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw bodyError('it is not a JSON object');
  }
  const reader = new WireReader(body as Record<string, unknown>);
  const webhook = BerbixWebhookDto.fromWire(kind, reader);
  if (reader.problems.length > 0) throw bodyError(reader.problems.join('; '));
  return webhook;
}

function parse(rawBody: Uint8Array): unknown {
  if (!isUtf8(rawBody)) throw bodyError('it is not UTF-8');
  const { buffer, byteOffset, byteLength } = rawBody;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  try {
    return parseJson(text);
  } catch {
    // Without the parser's message, which quotes the body.
    throw bodyError('it is not JSON');
  }
}

function bodyError(problem: string): BerbixWebhookBodyError {
  return new BerbixWebhookBodyError(
    `The webhook has a valid signature, but its body breaks the contract of Berbix: ${problem}.`,
  );
}
