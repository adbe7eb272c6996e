import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import {
  findHandlers,
  listProperties,
  shown,
  type Handler,
  type Wrapper,
} from '../discovery/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { HANDS_OVER, RECEIVES, WEBHOOK_HANDLERS, type WebhookRoute } from './webhook.decorators.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.options.js';

type WebhookHandler = Handler<WebhookRoute, BerbixWebhookDto>;

/** The methods with `@OnBerbixWebhook` of one account, discovered when the application starts. */
@Injectable()
export class WebhookHandlers implements OnApplicationBootstrap {
  readonly #logger = new Logger('BerbixWebhooks');
  readonly #handlers: Record<WebhookKind, WebhookHandler[]> = { finished: [], status: [] };

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(BERBIX_WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
  ) {}

  /** @throws {BerbixConfigurationError} for a handler that can never be called */
  onApplicationBootstrap(): void {
    const handlers = findHandlers<WebhookRoute, BerbixWebhookDto>({
      kind: WEBHOOK_HANDLERS,
      discovery: this.discovery,
      account: this.settings.account,
      accounts: BERBIX_WEBHOOK_SETTINGS,
      logger: this.#logger,
    });
    for (const handler of handlers) {
      const { kind } = handler.route;
      if (!this.settings.has(kind)) {
        this.#logger.warn(
          `${handler.name} will never be called: there is no secret for the ${kind} webhook. Set webhooks.${kind}.`,
        );
      }
      this.#handlers[kind].push(handler);
    }
    for (const kind of WEBHOOK_KINDS) this.#warnIfUnhandled(kind);
  }

  /** Whether there is a handler for this kind. */
  has(kind: WebhookKind): boolean {
    return this.#handlers[kind].length > 0;
  }

  /** Runs all handlers concurrently; rejects with the error of the first one that failed. */
  async run(webhook: BerbixWebhookDto): Promise<void> {
    const handlers = this.#handlers[webhook.kind];
    const results = await Promise.allSettled(handlers.map((handler) => handler.run(webhook)));
    const failed = results.flatMap((result, index) =>
      result.status === 'rejected'
        ? [{ name: handlers[index]?.name, error: result.reason as unknown }]
        : [],
    );
    for (const { name, error } of failed) {
      const { text, stack } = shown(error);
      this.#logger.error(
        `${name} failed on a ${webhook.kind} webhook of transaction ${webhook.transactionId}: ${text}`,
        stack,
      );
    }
    if (failed[0] !== undefined) throw failed[0].error;
  }

  #warnIfUnhandled(kind: WebhookKind): void {
    if (!this.settings.has(kind) || this.settings.confirmUnhandled || this.has(kind)) return;
    const { account } = this.settings;
    if (this.discovery.getControllers().some((wrapper) => receives(wrapper, { kind, account })))
      return;
    this.#logger.warn(this.settings.unhandled(kind));
  }
}

/** Whether a controller of the application receives the webhook itself, without handlers. */
function receives({ metatype }: Wrapper, { kind, account }: WebhookRoute): boolean {
  if (typeof metatype !== 'function' || Reflect.hasMetadata(HANDS_OVER, metatype)) return false;
  const methods = listProperties(metatype.prototype as object).values();
  return [metatype, ...methods].some((place) => {
    if (typeof place !== 'function') return false;
    const route = Reflect.getMetadata(RECEIVES, place) as WebhookRoute | undefined;
    return route?.kind === kind && route.account === account;
  });
}
