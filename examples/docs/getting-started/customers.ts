import { Injectable } from '@nestjs/common';
import type { BerbixTokens } from 'nestjs-berbix';

/** Stands for a table of the application, with the refresh token in an encrypted column. */
@Injectable()
export class Customers {
  readonly #refreshTokens = new Map<string, string>();

  refreshTokenOf(customerUid: string): string {
    return this.#refreshTokens.get(customerUid) ?? '';
  }

  async save(customerUid: string, tokens: BerbixTokens): Promise<void> {
    this.#refreshTokens.set(customerUid, tokens.refreshToken);
  }
}
