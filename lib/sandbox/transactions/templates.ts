import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type IdType, UPLOAD_STEPS, type UploadStep } from '../../wire/index.js';
import type { ApiOnlyDocument, ApiOnlySelfie } from '../options.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import type { TransactionKind } from './transaction.js';

/** The key of the template for each kind of transaction. */
export type TemplateKeys = Readonly<Record<TransactionKind, string>>;

/**
 * `tpk_` and 32 characters each. They are derived from the API secret, so that with a fixed secret
 * they are the same in each run. [sdk: ruby, node examples]
 */
export function templateKeysOf(apiSecret: string): TemplateKeys {
  const key = (kind: TransactionKind) =>
    `tpk_${createHash('sha256').update(`${kind}:${apiSecret}`).digest('hex').slice(0, 32)}`;
  return { sdk: key('sdk'), hosted: key('hosted'), apiOnly: key('apiOnly') };
}

/** The templates of the sandbox, the same in both modes. */
@Injectable()
export class Templates {
  readonly #keys: TemplateKeys;
  readonly #kinds: ReadonlyMap<string, TransactionKind>;

  constructor(@Inject(SANDBOX_SETTINGS) { apiSecret }: SandboxSettings) {
    this.#keys = templateKeysOf(apiSecret);
    const { sdk, hosted, apiOnly } = this.#keys;
    this.#kinds = new Map([
      [sdk, 'sdk'],
      [hosted, 'hosted'],
      [apiOnly, 'apiOnly'],
    ]);
  }

  kindOf(templateKey: string): TransactionKind | undefined {
    return this.#kinds.get(templateKey);
  }

  keyOf(kind: TransactionKind): string {
    return this.#keys[kind];
  }
}

/** What the API-only template asks for. */
export interface ApiOnlyTemplate {
  document: ApiOnlyDocument;
  selfie: ApiOnlySelfie;
}

/**
 * The uploads of a new API-only transaction: the document, then a selfie if the template asks for
 * one. [doc: reference/uploadimages]
 */
export function planUploads(template: ApiOnlyTemplate, idType?: IdType): UploadStep[] {
  const document =
    template.document === 'photo' ? planPhotos(idType) : ([UPLOAD_STEPS.barcode] as const);
  return [...document, ...planSelfie(template.selfie)];
}

/**
 * A passport has one side with data, cards have two. [sdk: go@experimental]
 * ASSUMPTION: two for an unknown document.
 */
export function planPhotos(idType?: IdType): UploadStep[] {
  return idType === 'P' ? [UPLOAD_STEPS.front] : [UPLOAD_STEPS.front, UPLOAD_STEPS.back];
}

function planSelfie(selfie: ApiOnlySelfie): UploadStep[] {
  if (selfie === 'none') return [];
  return [selfie === 'basic' ? UPLOAD_STEPS.selfie : UPLOAD_STEPS.liveness];
}
