import { NestFactory } from '@nestjs/core';
import {
  BerbixModule,
  BerbixTokenService,
  BerbixTokens,
  type BerbixModuleOptions,
} from 'nestjs-berbix';
import { API_SECRET } from './api.js';

const DAY_MS = 86_400_000;

/** How many customers have tokens by default; each is asked for in turn. */
export const CUSTOMERS = 1_000;

/** The customer of the tokens with this number. */
export const uidOf = (number: number): string => `customer-${number}`;

/** It has as many digits as those of the API. */
export const transactionIdOf = (number: number): string => `${1_234_000_000_000_000 + number}`;

/** The tokens of one transaction: all different, and as long as the sandbox's. */
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

/** They are valid for a day, so nothing has to renew them. */
export function tokensOf(number: number): BerbixTokens {
  return new BerbixTokens({
    ...textsOf(number),
    transactionId: transactionIdOf(number),
    lifetimeMs: DAY_MS,
    expiresAt: new Date(Date.now() + DAY_MS),
  });
}

/** Nothing answers there: an exchange would be an error. */
export const OFFLINE: BerbixModuleOptions = {
  apiSecret: API_SECRET,
  apiHost: 'https://127.0.0.1:1',
  retry: 0,
};

/** The service of an application that needs no API; its store is in memory unless one is given. */
export async function openOfflineApplication(
  options: Partial<BerbixModuleOptions>,
): Promise<{ service: BerbixTokenService; close: () => Promise<void> }> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ ...OFFLINE, ...options }),
    { logger: false },
  );
  return { service: application.get(BerbixTokenService), close: () => application.close() };
}

/** The same for the whole life of the process. */
export async function openOfflineService(
  options: Partial<BerbixModuleOptions> = {},
): Promise<BerbixTokenService> {
  return (await openOfflineApplication(options)).service;
}

/** The service of an application that is set up as in the README. */
export async function openTokenService(apiHost: string): Promise<BerbixTokenService> {
  const application = await NestFactory.createApplicationContext(
    BerbixModule.forRoot({ apiSecret: API_SECRET, apiHost }),
    { logger: false },
  );
  return application.get(BerbixTokenService);
}
