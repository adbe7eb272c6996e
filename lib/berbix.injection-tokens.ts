import { Inject, type InjectionToken } from '@nestjs/common';
import { accountToken } from './http/index.js';
import { BerbixTokenStore } from './token-store/index.js';
import { getBerbixTokenServiceToken } from './tokens/index.js';
import { BerbixTransactionService } from './transactions/index.js';
import { BerbixVerificationService } from './verification/index.js';
import { getBerbixWebhookServiceToken } from './webhooks/index.js';

export { getBerbixTokenServiceToken, getBerbixWebhookServiceToken };

/**
 * The injection token of an account's BerbixTransactionService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTransactionServiceToken(
  name?: string,
): InjectionToken<BerbixTransactionService> {
  return accountToken(BerbixTransactionService, 'transaction-service', name);
}

/**
 * The injection token of an account's BerbixTokenStore: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTokenStoreToken(name?: string): InjectionToken<BerbixTokenStore> {
  return accountToken(BerbixTokenStore, 'token-store', name);
}

/**
 * The injection token of an account's BerbixVerificationService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixVerificationServiceToken(
  name?: string,
): InjectionToken<BerbixVerificationService> {
  return accountToken(BerbixVerificationService, 'verification-service', name);
}

/**
 * Injects the BerbixTokenService of a named account.
 *
 * @example
 * ```ts
 * constructor(@InjectBerbixTokenService('eu') private readonly tokens: BerbixTokenService) {}
 * ```
 */
export const InjectBerbixTokenService = (name?: string): ReturnType<typeof Inject> =>
  Inject(getBerbixTokenServiceToken(name));

/** Injects the BerbixTransactionService of a named account. */
export const InjectBerbixTransactionService = (name?: string): ReturnType<typeof Inject> =>
  Inject(getBerbixTransactionServiceToken(name));

/** Injects the BerbixVerificationService of a named account. */
export const InjectBerbixVerificationService = (name?: string): ReturnType<typeof Inject> =>
  Inject(getBerbixVerificationServiceToken(name));

/** Injects the BerbixWebhookService of a named account. */
export const InjectBerbixWebhookService = (name?: string): ReturnType<typeof Inject> =>
  Inject(getBerbixWebhookServiceToken(name));

/** Injects the BerbixTokenStore of a named account. */
export const InjectBerbixTokenStore = (name?: string): ReturnType<typeof Inject> =>
  Inject(getBerbixTokenStoreToken(name));
