import { Inject, Injectable } from '@nestjs/common';
import type { TransactionImages } from '../../wire/index.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import type { CompletedTransaction } from '../transactions/transaction.js';
import { ImageLinks } from './image-links.js';

type Variant = keyof TransactionImages;

/** Which variants there are of each image. [sdk: go types.go] */
const VARIANTS = {
  front: ['full_image', 'cropped_image', 'face_image'],
  back: ['cropped_image'],
  selfie: ['full_image', 'face_image'],
  liveness: ['full_image', 'face_image'],
} as const satisfies Record<string, readonly Variant[]>;

/** The images of a result, where the account has asked for them. */
@Injectable()
export class ImagesPresenter {
  constructor(
    @Inject(ImageLinks) private readonly links: ImageLinks,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  /** Links that are new each time; `undefined` without the option `images`. */
  present(
    transaction: CompletedTransaction,
  ): Record<string, Partial<Record<Variant, string>>> | undefined {
    if (!this.settings.images) return undefined;
    const images = this.#imagesOf(transaction).map((image) => {
      const links = VARIANTS[image].map((variant) => [
        variant,
        this.links.urlOf(transaction.id, `${image}-${variant}`),
      ]);
      return [image, Object.fromEntries(links) as Partial<Record<Variant, string>>];
    });
    return Object.fromEntries(images) as Record<string, Partial<Record<Variant, string>>>;
  }

  /**
   * ASSUMPTION: of a document both sides, of a passport one; the selfies that an API-only template
   * asks for, and one selfie of those who verify in a page.
   */
  #imagesOf({ kind, state }: CompletedTransaction): (keyof typeof VARIANTS)[] {
    const selfie = kind === 'apiOnly' ? this.settings.apiOnlySelfie : 'basic';
    return [
      'front',
      ...(state.fields.id_type === 'P' ? [] : (['back'] as const)),
      ...(selfie === 'basic' ? (['selfie'] as const) : []),
      ...(selfie === 'liveness' ? (['liveness'] as const) : []),
    ];
  }
}
