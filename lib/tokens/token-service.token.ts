import type { InjectionToken } from '@nestjs/common';
import { accountToken } from '../http/index.js';
import { BerbixTokenService } from './berbix-token.service.js';

/**
 * The injection token of the BerbixTokenService of an account; without a name, the class itself.
 *
 * @param name as passed to `forRoot`
 */
export function getBerbixTokenServiceToken(name?: string): InjectionToken<BerbixTokenService> {
  return accountToken(BerbixTokenService, 'token-service', name);
}
