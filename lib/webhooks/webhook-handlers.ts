import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { BerbixConfigurationError } from '../errors/index.js';
import { WEBHOOK_KINDS, type WebhookKind } from '../wire/index.js';
import type { BerbixWebhookDto } from './dto/berbix-webhook.dto.js';
import { handlersOf, propertiesOf, type MethodKey } from './on-berbix-webhook.decorator.js';
import { HANDS_OVER, TAKES, type WebhookRoute } from './webhook-route.js';
import { BERBIX_WEBHOOK_SETTINGS, WebhookSettings } from './webhook.settings.js';

/** A provider or controller, as the discovery of Nest gives it. */
type Found = ReturnType<DiscoveryService['getProviders']>[number];

/** An instance with handlers. */
type Instance = Record<MethodKey, (webhook: BerbixWebhookDto) => unknown>;

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
    @Inject(BERBIX_WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
  ) {}

  /** @throws {BerbixConfigurationError} for a handler that could never be called */
  onApplicationBootstrap(): void {
    // An alias is the same instance under another token.
    const seen = new Set<object>();
    const added: Found[] = [];
    for (const found of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const { instance } = found as { instance: unknown };
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      this.#add(found, instance as Instance, added);
    }
    for (const kind of WEBHOOK_KINDS) this.#warnOfLost(kind);
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

  /** @param added those with handlers so far */
  #add(found: Found, instance: Instance, added: Found[]): void {
    const handlers = [...handlersOf(Reflect.getPrototypeOf(instance))].flatMap(([method, routes]) =>
      routes.map((route) => ({
        ...route,
        method,
        name: `${instance.constructor.name}.${String(method)}`,
      })),
    );
    for (const { name, account } of handlers) this.#checkAccount(name, account);
    const own = handlers.filter(({ account }) => account === this.settings.account);
    if (own.length === 0 || this.#isRepeated(found, added)) return;
    added.push(found);
    for (const { kind, method, name } of own) {
      checkScope(name, found);
      checkMethod(name, instance[method]);
      if (!this.settings.has(kind)) {
        this.#logger.warn(
          `${name} will never be called: there is no secret for the ${kind} webhook. Give it as webhooks.${kind}.`,
        );
      }
      this.#handlers[kind].push({ name, run: (webhook) => instance[method]?.(webhook) });
    }
  }

  /**
   * Whether the class has another instance, which would do its work twice. What a factory makes is not
   * repeated: it may differ.
   */
  #isRepeated({ metatype, instance, host }: Found, added: readonly Found[]): boolean {
    const isClass = metatype === (instance as object).constructor;
    const first = isClass ? added.find((other) => other.metatype === metatype) : undefined;
    if (first === undefined) return false;
    this.#logger.warn(
      `${metatype?.name} has two instances, in ${first.host?.name} and ${host?.name}. Its webhook handlers run once, in ` +
        `${first.host?.name}. Provide it in one module, which exports it.`,
    );
    return true;
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

  #warnOfLost(kind: WebhookKind): void {
    if (!this.settings.has(kind) || this.settings.confirmUnhandled || this.has(kind)) return;
    const { account } = this.settings;
    if (this.discovery.getControllers().some((found) => takes(found, { kind, account }))) return;
    this.#logger.warn(this.settings.unhandled(kind));
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

function checkMethod(name: string, method: unknown): void {
  if (typeof method === 'function') return;
  throw new BerbixConfigurationError(
    `${name} cannot handle webhooks: it has @OnBerbixWebhook but is no longer a method. Does a decorator or a subclass replace it?`,
  );
}

/** Whether a controller of the application takes a hook by itself, with or without handlers. */
function takes({ metatype }: Found, { kind, account }: WebhookRoute): boolean {
  if (typeof metatype !== 'function' || Reflect.hasMetadata(HANDS_OVER, metatype)) return false;
  const methods = propertiesOf(metatype.prototype as object).values();
  return [metatype, ...methods].some((place) => {
    if (typeof place !== 'function') return false;
    const route = Reflect.getMetadata(TAKES, place) as WebhookRoute | undefined;
    return route?.kind === kind && route.account === account;
  });
}
