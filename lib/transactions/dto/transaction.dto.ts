import { compareByTokens } from '../../errors/index.js';
import type { BerbixTokens } from '../../values/index.js';
import type { WireReader } from '../../wire/index.js';
import { DUPLICATE_SCHEMA, FIELD_SCHEMA, IMAGES_SCHEMA } from './transaction.schemas.js';

/** A value that was read from an ID, or entered by the user. */
export interface TransactionFieldDto {
  /** As printed, in capitals; dates as `YYYY-MM-DD`. [doc: docs/transaction-fields] */
  value: string;
  /** How sure the API is. */
  confidence?: string | undefined;
  /** Where it was read. */
  sources: {
    /** What was read there. */
    value?: string | undefined;
    /** The kind of the source. */
    type?: string | undefined;
    /** How sure the API is. */
    confidence?: string | undefined;
  }[];
}

/** The URLs of an image, which expire after a short time. [sdk: go types.go] */
export interface TransactionImagesDto {
  /** The image as taken. */
  fullImage?: string | undefined;
  /** Only the document. */
  croppedImage?: string | undefined;
  /** Only the face. */
  faceImage?: string | undefined;
}

/** A transaction of another customer with the same photo ID. [sdk: go types.go] */
export interface TransactionDuplicateDto {
  /** Your own id of the other user. */
  customerUid: string;
  /** The digits of a 64-bit integer. */
  transactionId: string;
}

/**
 * A transaction and its result. Vocabularies are open: unknown flags, fields and actions are passed
 * on. [doc: reference/gettransactionmetadata]
 */
export class TransactionDto {
  /** The digits of a 64-bit integer. */
  id!: string;
  /** Your own id of the user. */
  customerUid!: string;
  /**
   * `accept`, `reject`, `review` or a custom action of the account; undefined while there is none.
   */
  action?: string | undefined;
  /** Problems, such as `id_expired`; empty if there are none. [doc: docs/transaction-flags] */
  flags!: string[];
  /** By the API's name, such as `given_name`; they depend on the account and the ID. */
  fields!: Record<string, TransactionFieldDto>;
  /** `front`, `back`, `selfie`, `liveness`, if they are enabled for the account. */
  images!: Record<string, TransactionImagesDto>;
  /** Transactions of other customers with the same photo ID. */
  duplicates!: TransactionDuplicateDto[];
  /** When it was created. */
  createdAt?: Date | undefined;
  /** When the user completed it. */
  completedAt?: Date | undefined;
  /** The URL of the transaction in the dashboard. */
  dashboardUrl?: string | undefined;
  /** Only in test mode. */
  implementationInfo?: string | undefined;
  /** All evaluated conditions, as the API returns them. */
  actionMapResults?: unknown;
  /** All other fields of the answer, unchanged. */
  others!: Record<string, unknown>;

  #tokens!: BerbixTokens;

  /** The tokens to use and store from now on; not part of the JSON. */
  get tokens(): BerbixTokens {
    return this.#tokens;
  }

  /** From the API's answer; its mistakes are in `reader.problems`. @internal */
  static fromWire(reader: WireReader, tokens: BerbixTokens): TransactionDto {
    const dto = Object.assign(new TransactionDto(), {
      id: reader.id('id'),
      customerUid: reader.required('customer_uid'),
      action: reader.string('action'),
      flags: reader.strings('flags'),
      fields: reader.record('fields', readField),
      images: reader.record('images', readImages),
      duplicates: reader.list('duplicates', (item) => ({
        customerUid: item.required('customer_uid'),
        transactionId: item.id('transaction_id'),
      })),
      createdAt: reader.date('created_at'),
      completedAt: reader.date('completed_at'),
      dashboardUrl: reader.string('dashboard_url'),
      implementationInfo: reader.string('implementation_info'),
    });
    // The URL is the same for all transactions, so a cache could answer with that of another customer.
    if (dto.id !== '' && dto.id !== (tokens.transactionId ?? dto.id)) {
      reader.problems.push('id is that of another transaction');
    }
    const { action_map_results: actionMapResults, ...others } = reader.others(...KNOWN);
    dto.actionMapResults = actionMapResults;
    dto.others = others;
    dto.#tokens = tokens;
    compareByTokens(dto);
    return dto;
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      id: {
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
      flags: {
        required: true,
        type: () => [String],
        description: 'Problems, such as `id_expired`; empty if there are none.',
      },
      fields: {
        required: true,
        type: 'object',
        additionalProperties: FIELD_SCHEMA,
        description:
          "By the API's name, such as `given_name`; they depend on the account and the ID.",
      },
      images: {
        required: true,
        type: 'object',
        additionalProperties: IMAGES_SCHEMA,
        description: '`front`, `back`, `selfie`, `liveness`, if they are enabled for the account.',
      },
      duplicates: {
        required: true,
        type: 'array',
        items: DUPLICATE_SCHEMA,
        description: 'Transactions of other customers with the same photo ID.',
      },
      createdAt: { required: false, type: () => Date, description: 'When it was created.' },
      completedAt: {
        required: false,
        type: () => Date,
        description: 'When the user completed it.',
      },
      dashboardUrl: {
        required: false,
        type: () => String,
        description: 'The URL of the transaction in the dashboard.',
      },
      implementationInfo: {
        required: false,
        type: () => String,
        description: 'Only in test mode.',
      },
      actionMapResults: {
        required: false,
        type: 'object',
        additionalProperties: true,
        description: 'All evaluated conditions, as the API returns them.',
      },
      others: {
        required: true,
        type: 'object',
        additionalProperties: true,
        description: 'All other fields of the answer, unchanged.',
      },
    };
  }
}

const KNOWN = [
  'entity',
  'id',
  'customer_uid',
  'action',
  'flags',
  'fields',
  'images',
  'duplicates',
  'created_at',
  'completed_at',
  'dashboard_url',
  'implementation_info',
];

function readField(field: WireReader): TransactionFieldDto {
  return {
    value: field.string('value') ?? '',
    confidence: field.string('confidence'),
    sources: field.list('sources', (source) => ({
      value: source.string('value'),
      type: source.string('type'),
      confidence: source.string('confidence'),
    })),
  };
}

function readImages(images: WireReader): TransactionImagesDto {
  return {
    fullImage: images.string('full_image'),
    croppedImage: images.string('cropped_image'),
    faceImage: images.string('face_image'),
  };
}
