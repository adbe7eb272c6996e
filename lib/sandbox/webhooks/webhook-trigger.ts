import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { dashboardUrlOf } from '../transactions/dashboard-url.js';
import { type TransactionEvent, TransactionEvents } from '../transactions/transaction.events.js';
import { SandboxWebhooks } from './sandbox-webhooks.js';

/** Sends a webhook for what happens to transactions. */
@Injectable()
export class WebhookTrigger implements OnModuleInit {
  constructor(
    @Inject(TransactionEvents) private readonly events: TransactionEvents,
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
  ) {}

  onModuleInit(): void {
    this.events.stream.subscribe((event) => this.#announce(event));
  }

  #announce({ kind, transaction }: TransactionEvent): void {
    const { id, customerUid, state } = transaction;
    this.webhooks.announce(kind, {
      transactionId: id,
      customerUid,
      action: state.action,
      dashboardLink: dashboardUrlOf(id),
    });
  }
}
