import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException } from '../errors/api.exception.js';
import { SandboxAddress } from '../sandbox-address.js';
import { SandboxClock } from '../sandbox-clock.js';
import { SIGNATURE_LENGTH, TokenSigner } from '../tokens/token-signer.js';
import { IMAGES_ROOT } from './image-path.js';

/** ASSUMPTION: how short-lived the links are. [sdk: go types.go] */
const LIFETIME_MS = 15 * 60_000;

/** Writes and reads the links to images, which say everything themselves and are signed. */
@Injectable()
export class ImageLinks {
  constructor(
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SandboxAddress) private readonly address: SandboxAddress,
  ) {}

  /** A link to one image of a transaction; good from now on for a quarter of an hour. */
  urlOf(transactionId: string, image: string): string {
    const expiresAt = this.clock.now() + LIFETIME_MS;
    const text = `${transactionId}-${expiresAt}-${image}-`;
    return `${this.address.url}${IMAGES_ROOT}/${text}${this.#sign(text)}`;
  }

  /**
   * The transaction of the image that the last part of a link is for.
   *
   * @throws {ApiException} 404 for no link of this sandbox, 403 for one whose time is over
   */
  transactionIdOf(name: string): string {
    const text = name.slice(0, -SIGNATURE_LENGTH);
    if (!this.signer.verify(signedText(text), name.slice(-SIGNATURE_LENGTH))) throw unknownImage();
    const [id = '', expiresAt] = text.split('-');
    if (Number(expiresAt) <= this.clock.now()) throw expiredImage();
    return id;
  }

  #sign(text: string): string {
    return this.signer.sign(signedText(text));
  }
}

/** It begins like no token. */
function signedText(text: string): string {
  return `image:${text}`;
}

function unknownImage(): ApiException {
  return new ApiException(
    404,
    READABLE.notFound,
    'This sandbox did not issue this link to an image.',
  );
}

/** ASSUMPTION: 403, as stores of objects answer. */
function expiredImage(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'The link has expired. Fetch the transaction again: its links are new each time.',
  );
}
