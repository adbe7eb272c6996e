import { NestFactory } from '@nestjs/core';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokens,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { API_SECRET } from './api.js';

const DAY_MS = 86_400_000;

/** So many have tokens, where nothing else is said; each is asked for in turn. */
export const CUSTOMERS = 1_000;

/** Whose tokens they are, in the order of their numbers. */
export const uidOf = (number: number): string => `customer-${number}`;

/** Of so many digits as the API's. */
export const transactionIdOf = (number: number): string => `${1_234_000_000_000_000 + number}`;

/** The texts of the tokens of one transaction: no two are the same, all as long as the sandbox's. */
export interface TokenTexts {
  refreshToken: string;
  accessToken: string;
  clientToken: string;
}

export function textsOf(number: number): TokenTexts {
  return {
    refreshToken: `rt_${number}_`.padEnd(80, 'r'),
    accessToken: `at_${number}_`.padEnd(90, 'a'),
    clientToken: `${'h'.repeat(36)}.${number}.`.padEnd(330, 'c'),
  };
}

/** Good for a day: what is measured does not have to renew them. */
export function tokensOf(number: number): BerbixTokens {
  return new BerbixTokens({
    ...textsOf(number),
    transactionId: transactionIdOf(number),
    lifetimeMs: DAY_MS,
    expiresAt: new Date(Date.now() + DAY_MS),
  });
}

/** Nobody answers there: an exchange would be an error, and measuring fails with it. */
export const OFFLINE: BerbixModuleOptions = {
  apiSecret: API_SECRET,
  apiHost: 'https://127.0.0.1:1',
  retry: 0,
};

/** The service of an application whose store is its own memory, and has nothing yet. */
export async function openOfflineService(
  options: Partial<BerbixModuleOptions> = {},
): Promise<BerbixTokenService> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ ...OFFLINE, ...options }),
    { logger: false },
  );
  return application.get(BerbixTokenService);
}
