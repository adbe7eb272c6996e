import { Injectable } from '@nestjs/common';
import type { BerbixVerificationStatus } from 'nestjs-berbix';

/** Stands for a column of the application; setting it twice is harmless. */
@Injectable()
export class Statuses {
  readonly #statuses = new Map<string, BerbixVerificationStatus>();

  get(customerUid: string): BerbixVerificationStatus | undefined {
    return this.#statuses.get(customerUid);
  }

  async set(customerUid: string, status: BerbixVerificationStatus): Promise<void> {
    this.#statuses.set(customerUid, status);
  }
}
