import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { BerbixEvent } from './berbix-event.js';
import { EventBus } from './event-bus.js';

/** Writes one line for each exchange, at the level `debug`. */
@Injectable()
export class ExchangeLog implements OnModuleInit {
  readonly #logger = new Logger('BerbixTokenService');

  constructor(@Inject(EventBus) private readonly bus: EventBus) {}

  onModuleInit(): void {
    if (Logger.isLevelEnabled('debug')) this.bus.listen((event) => this.#write(event));
  }

  #write(event: BerbixEvent): void {
    if (event.kind !== 'token.exchanged' && event.kind !== 'token.failed') return;
    const { transactionId = 'unknown', reason, durationMs } = event;
    const outcome = event.kind === 'token.failed' ? `failed with ${event.code}` : 'succeeded';
    this.#logger.debug(
      `The exchange for transaction ${transactionId} (${reason}) ${outcome} after ${durationMs.toFixed(0)} ms.`,
    );
  }
}
