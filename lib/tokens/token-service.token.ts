import type { InjectionToken } from '@nestjs/common';
import { accountToken } from '../http/index.js';
import { BerbixTokenService } from './berbix-token.service.js';

/**
 * The injection token of an account's BerbixTokenService: the class itself without a name.
 *
 * @param name as given to `forRoot`
 */
export function getBerbixTokenServiceToken(name?: string): InjectionToken<BerbixTokenService> {
  return accountToken(BerbixTokenService, 'token-service', name);
}
