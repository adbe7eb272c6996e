import { Inject, Injectable } from '@nestjs/common';
import {
  METADATA_ENTITY,
  type TransactionField,
  type TransactionImages,
} from '../../wire/index.js';
import { ImageLinks } from '../auth/signed-links.js';
import type { ApiJson } from '../http/api-json.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { ActionMap } from './action-map.js';
import {
  type CompletedTransaction,
  dashboardUrlOf,
  isCompleted,
  type Transaction,
} from './transaction.js';
import { Transactions } from './transactions.js';

/**
 * Fields of an unfinished transaction. [sdk: php examples/transaction.php] [3p: idx 7431624753]
 * ASSUMPTION: 200 rather than 202.
 */
const NO_RESULT = { action: '', flags: [], fields: {} };

type ImageVariant = keyof TransactionImages;

/** The variants of each image. [sdk: go types.go] */
const IMAGE_VARIANTS = {
  front: ['full_image', 'cropped_image', 'face_image'],
  back: ['cropped_image'],
  selfie: ['full_image', 'face_image'],
  liveness: ['full_image', 'face_image'],
} as const satisfies Record<string, readonly ImageVariant[]>;

/** Links to the images of a result, by image and variant. */
type Images = Record<string, Partial<Record<ImageVariant, string>>>;

/** Fields that only the answer to a creation has. [doc: docs/api-only-integration-guide] */
export function presentCreation(
  { kind, state }: Transaction,
  hostedUrl: string,
): Record<string, string> {
  if (kind === 'hosted') return { hosted_url: hostedUrl };
  const [step] = state.status === 'open' ? state.steps : [];
  return step === undefined ? {} : { first_step: step };
}

/** The metadata of transactions: the answer to `GET` and `PATCH /v0/transactions`. */
@Injectable()
export class TransactionPresenter {
  constructor(
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(ActionMap) private readonly actionMap: ActionMap,
    @Inject(ImageLinks) private readonly links: ImageLinks,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** [doc: reference/gettransactionmetadata] */
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
      // ASSUMPTION: its content.
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
      images: this.settings.images ? this.#imagesOf(transaction) : undefined,
      completed_at: new Date(completedAt).toISOString(),
      // ASSUMPTION: all of it; the schema is not public.
      action_map_results: {
        conditions: flags.map((flag) => ({ flag, action: this.actionMap.actionFor([flag]) })),
      },
    };
  }

  /**
   * New links each time. ASSUMPTION: which images there are. Documents have two sides, a passport
   * one; selfies are those that the API-only template asks for, or one of a user in a page.
   */
  #imagesOf({ id, kind, state }: CompletedTransaction): Images {
    const selfie = kind === 'apiOnly' ? this.settings.apiOnlySelfie : 'basic';
    const back = state.fields.id_type === 'P' ? [] : (['back'] as const);
    const selfies = { none: [], basic: ['selfie'], liveness: ['liveness'] } as const;
    const images = (['front', ...back, ...selfies[selfie]] as const).map((image) => {
      const links = IMAGE_VARIANTS[image].map((variant) => [
        variant,
        this.links.urlOf(id, `${image}-${variant}`),
      ]);
      return [image, Object.fromEntries(links) as Images[string]];
    });
    return Object.fromEntries(images) as Images;
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

/** An entry of the fields. [sdk: go types.go] */
function presentField(name: string, value: string) {
  const confidence = 'high';
  const field = { value, confidence, sources: [{ value, type: sourceOf(name), confidence }] };
  return [name, field satisfies TransactionField] as const;
}

/** Addresses come from the barcode only. [doc: docs/transaction-fields] */
function sourceOf(name: string): string {
  if (name === 'email_address' || name === 'phone_number') return 'user-input';
  return name.startsWith('address_') ? 'barcode-scan' : 'text-scan';
}
