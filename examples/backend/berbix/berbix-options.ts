import { Inject, Injectable } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { type BerbixModuleOptions, type BerbixOptionsFactory, berbixConfig } from 'nestjs-berbix';
import { TokenStore } from './token-store.js';
import { webhooksConfig } from './webhooks.config.js';

/**
 * The account and the store of its tokens. Each customer's refresh token is in the database of this
 * backend. It is loaded shortly before the customer's tokens expire, and exchanged once for all
 * instances.
 *
 * If you already have a table of refresh tokens, two more options move each token when it is first
 * needed:
 *
 * ```ts
 * loadTokens: async (owner) =>
 *   'customerUid' in owner ? this.customers.refreshTokenOf(owner.customerUid) : undefined,
 * // If Berbix ever replaces one: UPDATE customers SET refresh_token = $2 WHERE refresh_token = $1
 * onRotation: ({ previousRefreshToken, tokens }) =>
 *   this.customers.replace(previousRefreshToken, tokens.refreshToken),
 * ```
 *
 * Store new tokens with `BerbixTokenService.remember({ customerUid, tokens })`; those of
 * verifications that `BerbixVerificationService` begins are stored automatically.
 */
@Injectable()
export class BerbixOptions implements BerbixOptionsFactory {
  constructor(
    @Inject(berbixConfig.KEY) private readonly account: ConfigType<typeof berbixConfig>,
    @Inject(webhooksConfig.KEY) private readonly webhooks: ConfigType<typeof webhooksConfig>,
    private readonly tokens: TokenStore,
  ) {}

  createBerbixOptions(): BerbixModuleOptions {
    return { ...this.account, webhooks: this.webhooks, store: this.tokens.store };
  }
}
