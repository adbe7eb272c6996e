import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SandboxAddress } from '../sandbox-address.js';
import { TokenSigner } from '../tokens/token-signer.js';
import type { Transaction } from '../transactions/transaction.js';
import { HOSTED_ROOT } from './hosted-path.js';

/** A 64-bit integer in hexadecimal digits. */
const ID_LENGTH = 16;
/** 128 bits of a signature: nobody finds a link by trying. */
const SEAL_LENGTH = 32;
const CLAIM = new RegExp(`^[0-9a-f]{${ID_LENGTH + SEAL_LENGTH}}$`);

/**
 * The links to the pages of transactions. The last part of each, its claim, says which transaction it
 * is, and is signed; so a deleted one can be told from one that never was.
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
  urlOf(transaction: Transaction): string {
    return this.address.url + this.pathOf(transaction);
  }

  /** The link on whichever listener the browser talks to. */
  pathOf({ id }: Transaction): string {
    return `${HOSTED_ROOT}/${this.#claim(BigInt(id).toString(16).padStart(ID_LENGTH, '0'))}`;
  }

  /** The transaction that a claim is for; `undefined` if this sandbox did not make it. */
  transactionIdOf(claim: string): string | undefined {
    if (!CLAIM.test(claim)) return undefined;
    const id = claim.slice(0, ID_LENGTH);
    const isOurs = timingSafeEqual(Buffer.from(claim), Buffer.from(this.#claim(id)));
    return isOurs ? BigInt(`0x${id}`).toString() : undefined;
  }

  /** What is signed begins like no token. */
  #claim(id: string): string {
    const seal = Buffer.from(this.signer.sign(`hosted:${id}`), 'base64url').toString('hex');
    return id + seal.slice(0, SEAL_LENGTH);
  }
}
