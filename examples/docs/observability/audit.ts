import { Injectable, Logger } from '@nestjs/common';
import { OnBerbixEvent, type BerbixEvent } from 'nestjs-berbix';

/** What an auditor asks for, and what should page someone. */
@Injectable()
export class IdentityAudit {
  readonly #logger = new Logger('IdentityAudit');

  @OnBerbixEvent('verification.begun')
  @OnBerbixEvent('verification.decided')
  @OnBerbixEvent('token.forgotten')
  record(event: BerbixEvent): void {
    this.#logger.log(event);
  }

  @OnBerbixEvent('token.dead')
  @OnBerbixEvent('token.unsaved')
  lost({ kind, customerUid }: BerbixEvent<'token.dead' | 'token.unsaved'>): void {
    this.#logger.error(`${kind}: ${customerUid} may have to begin again`);
  }

  @OnBerbixEvent('circuit.opened')
  @OnBerbixEvent('store.failed')
  alert({ kind, account }: BerbixEvent): void {
    this.#logger.error(`${kind} in the account ${account}`);
  }
}
