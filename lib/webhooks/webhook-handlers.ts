import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { BerbixConfigurationError } from '../errors/index.js';
import type { WebhookKind } from '../wire/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { handledBy } from './on-berbix-webhook.decorator.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.settings.js';

/** A provider or controller, as the discovery of Nest gives it. */
type Found = ReturnType<DiscoveryService['getProviders']>[number];

interface Handler {
  /** For people: `ClassName.method`. */
  readonly name: string;
  run(webhook: BerbixWebhookDto): unknown;
}

/** The methods with `@OnBerbixWebhook` for one account, found when the application starts. */
@Injectable()
export class WebhookHandlers implements OnApplicationBootstrap {
  readonly #logger = new Logger('BerbixWebhooks');
  readonly #handlers: Record<WebhookKind, Handler[]> = { finished: [], status: [] };

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(BERBIX_WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
  ) {}

  /** @throws {BerbixConfigurationError} for a handler that could never be called */
  onApplicationBootstrap(): void {
    // An alias is the same instance under another token.
    const seen = new Set<object>();
    for (const found of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const { instance } = found as { instance: unknown };
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      this.#add(found, instance as Record<string, (webhook: BerbixWebhookDto) => unknown>);
    }
  }

  /** Whether there is one for this kind. */
  has(kind: WebhookKind): boolean {
    return this.#handlers[kind].length > 0;
  }

  /** Runs all of them at once; rejects with what the first of those that fail has thrown. */
  async run(webhook: BerbixWebhookDto): Promise<void> {
    const handlers = this.#handlers[webhook.kind];
    const ends = await Promise.allSettled(
      handlers.map(async (handler) => ended(handler.run(webhook))),
    );
    const failed = ends.flatMap((end, index) =>
      end.status === 'rejected'
        ? [{ name: handlers[index]?.name, error: end.reason as unknown }]
        : [],
    );
    for (const { name, error } of failed) {
      this.#logger.error(
        `${name} failed on a ${webhook.kind} webhook of transaction ${webhook.transactionId}: ${String(error)}`,
        error instanceof Error ? error.stack : undefined,
      );
    }
    if (failed[0] !== undefined) throw failed[0].error;
  }

  #add(found: Found, instance: Record<string, (webhook: BerbixWebhookDto) => unknown>): void {
    const prototype = Object.getPrototypeOf(instance) as Record<string, object> | null;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      for (const { kind, account } of handledBy(prototype?.[method] as object)) {
        const name = `${instance.constructor.name}.${method}`;
        this.#checkAccount(name, account);
        if (account !== this.settings.account) continue;
        checkScope(name, found);
        if (!this.settings.has(kind)) {
          this.#logger.warn(
            `${name} will never be called: there is no secret for the ${kind} webhook. Give it as webhooks.${kind}.`,
          );
        }
        this.#handlers[kind].push({ name, run: (webhook) => instance[method]?.(webhook) });
      }
    }
  }

  #checkAccount(name: string, account: string | undefined): void {
    const isRegistered = this.discovery
      .getProviders()
      .some(
        ({ token, instance }) =>
          token === BERBIX_WEBHOOK_SETTINGS && (instance as WebhookSettings).account === account,
      );
    if (isRegistered) return;
    throw new BerbixConfigurationError(
      account === undefined
        ? `${name} is for the account without a name, and there is none. Give @OnBerbixWebhook the name of an account as its second argument.`
        : `${name} is for an account named "${account}", and there is none. Give @OnBerbixWebhook the name that forRoot was given.`,
    );
  }
}

/** What a handler begins, at its end: an Observable does its work when it is subscribed to. */
function ended(result: unknown): unknown {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

function checkScope(name: string, found: Found): void {
  if (found.isDependencyTreeStatic() && !found.isTransient) return;
  throw new BerbixConfigurationError(
    `${name} cannot handle webhooks: its class is ${found.isTransient ? 'transient' : 'request-scoped, or depends on something that is'}, ` +
      'and so there is no instance to call. Move the method to a class of the default scope.',
  );
}
