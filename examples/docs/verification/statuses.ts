import { Injectable } from '@nestjs/common';
import type { VerificationStatus } from 'nestjs-berbix';

/** Stands in for a column of the application's: setting it twice does no harm. */
@Injectable()
export class Statuses {
  readonly #statuses = new Map<string, VerificationStatus>();

  get(customerUid: string): VerificationStatus | undefined {
    return this.#statuses.get(customerUid);
  }

  async set(customerUid: string, status: VerificationStatus): Promise<void> {
    this.#statuses.set(customerUid, status);
  }
}
