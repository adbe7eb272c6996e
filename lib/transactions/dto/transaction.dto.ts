import { compareByTokens } from '../../errors/index.js';
import type { BerbixTokens } from '../../tokens/index.js';
import type { WireReader } from '../../http/index.js';

/** A value that was read from an ID, or that the user gave. */
export interface TransactionFieldDto {
  /** As printed, in capitals; dates as `YYYY-MM-DD`. [doc: docs/transaction-fields] */
  value: string;
  confidence?: string | undefined;
  sources: {
    value?: string | undefined;
    type?: string | undefined;
    confidence?: string | undefined;
  }[];
}

/** URLs of an image; they last a short time only. [sdk: go types.go] */
export interface TransactionImagesDto {
  /** As it was taken. */
  fullImage?: string | undefined;
  /** The document alone, without what is around it. */
  croppedImage?: string | undefined;
  /** The face alone. */
  faceImage?: string | undefined;
}

/** Another transaction with the same photo ID, under another customer. [sdk: go types.go] */
export interface TransactionDuplicateDto {
  customerUid: string;
  transactionId: string;
}

/**
 * A transaction and what came of it. Vocabularies are open: a flag, field or action that this
 * package has never seen is passed on. [doc: reference/gettransactionmetadata]
 */
export class TransactionDto {
  /** The digits of a 64-bit integer. */
  id!: string;
  customerUid!: string;
  /** `accept`, `reject`, `review` or another of the account's; undefined while it is not determined. */
  action?: string | undefined;
  /** What was found, such as `id_expired`; empty is good. [doc: docs/transaction-flags] */
  flags!: string[];
  /** By the API's name, such as `given_name`; which there are depends on the account and the ID. */
  fields!: Record<string, TransactionFieldDto>;
  /** `front`, `back`, `selfie`, `liveness`, if the account has them switched on. */
  images!: Record<string, TransactionImagesDto>;
  duplicates!: TransactionDuplicateDto[];
  createdAt?: Date | undefined;
  completedAt?: Date | undefined;
  dashboardUrl?: string | undefined;
  /** In test mode only. */
  implementationInfo?: string | undefined;
  /** Every condition that was evaluated, as the API gives it. */
  actionMapResults?: unknown;
  /** Fields of the answer that are not known here, as they came. */
  others!: Record<string, unknown>;

  #tokens!: BerbixTokens;

  /** The tokens to use and store from now on; not part of the JSON. */
  get tokens(): BerbixTokens {
    return this.#tokens;
  }

  /** From the API's answer; what is wrong with it is in `reader.problems`. @internal */
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
    const { action_map_results: actionMapResults, ...others } = reader.others(...KNOWN);
    dto.actionMapResults = actionMapResults;
    dto.others = others;
    dto.#tokens = tokens;
    compareByTokens(dto);
    return dto;
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    const text = { required: false, type: () => String };
    const object = { required: true, type: () => Object };
    return {
      id: { required: true, type: () => String },
      customerUid: { required: true, type: () => String },
      action: text,
      flags: { required: true, type: () => [String] },
      fields: object,
      images: object,
      duplicates: { required: true, type: () => [Object] },
      createdAt: { required: false, type: () => Date },
      completedAt: { required: false, type: () => Date },
      dashboardUrl: text,
      implementationInfo: text,
      actionMapResults: { required: false, type: () => Object },
      others: object,
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
