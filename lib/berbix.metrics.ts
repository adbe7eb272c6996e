import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Attributes } from '@opentelemetry/api';
import type { BerbixErrorCode } from './errors/index.js';
import { EventBus, type BerbixEvent } from './events/index.js';
import { BerbixHttp } from './http/index.js';
import { instruments, openMeter } from './telemetry/index.js';
import { BerbixTokenService } from './tokens/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from './wire/index.js';

/**
 * The metrics of an account: those that are made of events, and gauges, which are read whenever the
 * SDK collects. What happens too often for an event is counted where it happens.
 */
@Injectable()
export class BerbixMetrics implements OnModuleInit, OnApplicationShutdown {
  #stop: (() => void) | undefined;

  constructor(
    @Inject(EventBus) private readonly bus: EventBus,
    @Inject(BerbixHttp) private readonly http: BerbixHttp,
    @Inject(BerbixTokenService) private readonly tokens: BerbixTokenService,
  ) {}

  onModuleInit(): void {
    const meter = openMeter();
    if (meter === undefined) return;
    this.#beginAtZero();
    const stopListening = this.bus.listen((event) => this.#record(event));
    const account = { 'berbix.account': this.bus.account };
    const gauge = (name: string, unit: string, description: string, read: () => number) => {
      const instrument = meter.createObservableGauge(name, { unit, description });
      const observe = (result: { observe(value: number, attributes: Attributes): void }): void =>
        result.observe(read(), account);
      instrument.addCallback(observe);
      return () => instrument.removeCallback(observe);
    };
    const gauges = [
      gauge(
        'berbix.client.queue.length',
        '{call}',
        'Calls that wait for a connection.',
        () => this.http.state.waiting,
      ),
      gauge('berbix.client.circuit.state', '{state}', '1 while calls are blocked, else 0.', () =>
        Number(this.http.state.isCircuitOpen),
      ),
      gauge(
        'berbix.cache.entries',
        '{entry}',
        'Stored tokens in memory, under each name by which they are found.',
        () => this.tokens.stored.memory.entries,
      ),
    ];
    this.#stop = () => [stopListening, ...gauges].forEach((stop) => stop());
  }

  /** Not before: exchanges in flight still end during the shutdown. */
  async onApplicationShutdown(): Promise<void> {
    // What has ended is told in the next turn of the event loop.
    await setImmediate();
    this.#stop?.();
  }

  /** Of a series that begins at 1, Prometheus sees no increase, so no alert would notice the first one. */
  #beginAtZero(): void {
    const metrics = instruments();
    const { account } = this.bus;
    metrics?.dead.add(0, { 'berbix.account': account });
    metrics?.unsaved.add(0, { 'berbix.account': account });
    for (const webhook of WEBHOOK_KINDS) {
      for (const outcome of ['handled', 'failed', 'repeated']) {
        metrics?.deliveries.add(0, delivery(account, webhook, outcome));
      }
      for (const code of REJECTIONS) metrics?.rejections.add(0, rejection(account, webhook, code));
    }
  }

  #record(event: BerbixEvent): void {
    const metrics = instruments();
    const account = { 'berbix.account': event.account };
    switch (event.kind) {
      case 'token.exchanged':
      case 'token.failed':
        return metrics?.exchangeDuration.record(event.durationMs / 1_000, {
          ...account,
          'berbix.exchange.reason': event.reason,
          ...(event.kind === 'token.failed' && { 'error.type': event.code }),
        });
      case 'token.dead':
        return metrics?.dead.add(1, account);
      case 'token.unsaved':
        return metrics?.unsaved.add(1, account);
      case 'webhook.rejected':
        return metrics?.rejections.add(1, rejection(event.account, event.webhook, event.code));
      case 'webhook.handled':
      case 'webhook.failed':
      case 'webhook.repeated': {
        const outcome = event.kind.slice('webhook.'.length);
        return metrics?.deliveries.add(1, delivery(event.account, event.webhook, outcome));
      }
    }
  }
}

/** Why a webhook may be refused. */
const REJECTIONS: readonly BerbixErrorCode[] = [
  'BERBIX_WEBHOOK_SIGNATURE',
  'BERBIX_WEBHOOK_BODY',
  'BERBIX_CONFIGURATION',
];

function delivery(account: string, webhook: WebhookKind, outcome: string): Attributes {
  return {
    'berbix.account': account,
    'berbix.webhook.kind': webhook,
    'berbix.webhook.outcome': outcome,
  };
}

function rejection(account: string, webhook: WebhookKind, code: BerbixErrorCode): Attributes {
  return { 'berbix.account': account, 'berbix.webhook.kind': webhook, 'error.type': code };
}
