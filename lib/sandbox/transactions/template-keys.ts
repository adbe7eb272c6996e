import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import type { TransactionKind } from './transaction.js';

/** The key of the template for each kind of transaction. */
export type TemplateKeys = Readonly<Record<TransactionKind, string>>;

/**
 * `tpk_` and 32 characters each. They follow from the API secret, so that what somebody wrote into
 * an environment file for a fixed secret stays right. [sdk: ruby, node examples]
 */
export function templateKeysOf(apiSecret: string): TemplateKeys {
  const key = (kind: TransactionKind) =>
    `tpk_${createHash('sha256').update(`${kind}:${apiSecret}`).digest('hex').slice(0, 32)}`;
  return { sdk: key('sdk'), hosted: key('hosted'), apiOnly: key('apiOnly') };
}

/** Knows the templates of the sandbox, the same in both modes. */
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
