import { Inject, Injectable } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { type BerbixModuleOptions, type BerbixOptionsFactory, berbixConfig } from 'nestjs-berbix';
import { TokenStore } from './token-store.js';
import { webhooksConfig } from './webhooks.config.js';

/**
 * The account, and where its tokens are kept: each customer's refresh token is in the database of this
 * backend, is loaded from there when his tokens are near their end, and exchanged, once for all
 * instances.
 *
 * Where refresh tokens are in a table of your own already, they move over as they are asked for, with
 * two options more:
 *
 * ```ts
 * loadTokens: async (owner) =>
 *   'customerUid' in owner ? this.customers.refreshTokenOf(owner.customerUid) : undefined,
 * // Should Berbix ever replace one: UPDATE customers SET refresh_token = $2 WHERE refresh_token = $1
 * onRotation: ({ previousRefreshToken, tokens }) =>
 *   this.customers.replace(previousRefreshToken, tokens.refreshToken),
 * ```
 *
 * New ones are handed over with `BerbixTokenService.remember({ customerUid, tokens })`; those that
 * `BerbixVerificationService` begins are in the store anyway.
 */
@Injectable()
export class BerbixOptions implements BerbixOptionsFactory {
  constructor(
    @Inject(berbixConfig.KEY) private readonly account: ConfigType<typeof berbixConfig>,
    @Inject(webhooksConfig.KEY) private readonly webhooks: ConfigType<typeof webhooksConfig>,
    @Inject(TokenStore) private readonly tokens: TokenStore,
  ) {}

  createBerbixOptions(): BerbixModuleOptions {
    return { ...this.account, webhooks: this.webhooks, store: this.tokens.store };
  }
}
