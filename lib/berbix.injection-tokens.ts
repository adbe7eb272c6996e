import { Inject, type InjectionToken } from '@nestjs/common';
import { BerbixTokenStore } from './token-store/index.js';
import { BerbixTokenService } from './tokens/index.js';
import { BerbixTransactionService } from './transactions/index.js';
import { BerbixVerificationService } from './verification/index.js';
import { BerbixWebhookService } from './webhooks/index.js';

/**
 * The injection token of an account's BerbixTokenService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTokenServiceToken(name?: string): InjectionToken<BerbixTokenService> {
  return named(BerbixTokenService, 'token-service', name);
}

/**
 * The injection token of an account's BerbixTransactionService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTransactionServiceToken(
  name?: string,
): InjectionToken<BerbixTransactionService> {
  return named(BerbixTransactionService, 'transaction-service', name);
}

/**
 * The injection token of an account's BerbixTokenStore: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTokenStoreToken(name?: string): InjectionToken<BerbixTokenStore> {
  return named(BerbixTokenStore, 'token-store', name);
}

/**
 * The injection token of an account's BerbixVerificationService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixVerificationServiceToken(
  name?: string,
): InjectionToken<BerbixVerificationService> {
  return named(BerbixVerificationService, 'verification-service', name);
}

/**
 * The injection token of an account's BerbixWebhookService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixWebhookServiceToken(name?: string): InjectionToken<BerbixWebhookService> {
  return named(BerbixWebhookService, 'webhook-service', name);
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

/** `Symbol.for`, so that two loaded copies of this package mean the same. */
function named<T>(
  type: InjectionToken<T>,
  kind: string,
  name: string | undefined,
): InjectionToken<T> {
  return name === undefined ? type : Symbol.for(`berbix:${kind}:${name}`);
}
