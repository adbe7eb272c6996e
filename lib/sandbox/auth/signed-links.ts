import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { SandboxClock } from '../clock.js';
import { ApiException } from '../http/api-exception.js';
import { HOSTED_ROOT, IMAGES_ROOT } from '../http/paths.js';
import { SIGNATURE_LENGTH, TokenSigner } from './tokens.js';

/** The base URLs, without a slash at the end; known when the sandbox listens. */
@Injectable()
export class SandboxAddress {
  /** The one in links. */
  url = '';
  /** The one over HTTP on this machine; another than `url` if that is the option `publicUrl`. */
  localUrl = '';
  /** With the option `tls`. */
  tlsUrl: string | undefined;
}

/** Hexadecimal digits of a 64-bit integer. */
const ID_LENGTH = 16;
/** Hexadecimal digits of 128 bits of a signature, which cannot be guessed. */
const SEAL_LENGTH = 32;
const CLAIM = new RegExp(`^[0-9a-f]{${ID_LENGTH + SEAL_LENGTH}}$`);

/**
 * Links to the pages of transactions. The last part of a link, its claim, is the signed id of the
 * transaction, so that a deleted transaction differs from one that never existed.
 *
 * ASSUMPTION: the form of the URL; the real host and path are not known.
 */
@Injectable()
export class HostedLinks {
  constructor(
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxAddress) private readonly address: SandboxAddress,
  ) {}

  /** The whole link. */
  urlOf(transaction: { readonly id: string }): string {
    return this.address.url + this.pathOf(transaction);
  }

  /** The link without the address, for the listener that the browser uses. */
  pathOf({ id }: { readonly id: string }): string {
    return `${HOSTED_ROOT}/${this.#claim(BigInt(id).toString(16).padStart(ID_LENGTH, '0'))}`;
  }

  /** The transaction of a claim; undefined if this sandbox did not issue it. */
  transactionIdOf(claim: string): string | undefined {
    if (!CLAIM.test(claim)) return undefined;
    const id = claim.slice(0, ID_LENGTH);
    const isOwn = timingSafeEqual(Buffer.from(claim), Buffer.from(this.#claim(id)));
    return isOwn ? BigInt(`0x${id}`).toString() : undefined;
  }

  /** The prefix of the signed text keeps a claim from passing as a token. */
  #claim(id: string): string {
    const seal = Buffer.from(this.signer.sign(`hosted:${id}`), 'base64url').toString('hex');
    return id + seal.slice(0, SEAL_LENGTH);
  }
}

/** ASSUMPTION: how long the links to images are valid. [sdk: go types.go] */
const IMAGE_LIFETIME_MS = 15 * 60_000;

/** Links to images of results. A link contains its transaction, its expiry and a signature of both. */
@Injectable()
export class ImageLinks {
  constructor(
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(SandboxAddress) private readonly address: SandboxAddress,
  ) {}

  /** A link to an image of a transaction, valid from now on. */
  urlOf(transactionId: string, image: string): string {
    const expiresAt = this.clock.now() + IMAGE_LIFETIME_MS;
    const text = `${transactionId}-${expiresAt}-${image}-`;
    return `${this.address.url}${IMAGES_ROOT}/${text}${this.signer.sign(signedText(text))}`;
  }

  /**
   * The transaction of an image.
   *
   * @param name the last part of the link
   * @throws {ApiException} 404 if this sandbox did not issue the link, 403 if it has expired
   */
  transactionIdOf(name: string): string {
    const text = name.slice(0, -SIGNATURE_LENGTH);
    if (!this.signer.verify(signedText(text), name.slice(-SIGNATURE_LENGTH))) throw unknownImage();
    const [id = '', expiresAt] = text.split('-');
    if (Number(expiresAt) <= this.clock.now()) throw expiredImage();
    return id;
  }
}

/** The prefix keeps a signed link from passing as a token. */
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

/** ASSUMPTION: 403, as object stores answer. */
function expiredImage(): ApiException {
  return new ApiException(
    403,
    READABLE.notAllowed,
    'The link has expired. Fetch the transaction again: its links are new each time.',
  );
}
