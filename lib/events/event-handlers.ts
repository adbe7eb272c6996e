import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import {
  findHandlers,
  handlerDecorator,
  shown,
  type Handler,
  type HandlerKind,
  type HandlerRoute,
} from '../discovery/index.js';
import { BerbixConfigurationError } from '../errors/index.js';
import { checkAccount } from '../options/index.js';
import { EVENT_KINDS, type BerbixEvent, type BerbixEventKind } from './berbix-event.js';
import { EventBus } from './event-bus.js';

interface EventRoute extends HandlerRoute {
  readonly kind: BerbixEventKind;
}

const EVENT_HANDLERS: HandlerKind = {
  decorator: '@OnBerbixEvent',
  subject: 'events',
  metadata: 'berbix:on-event',
};

/** For a method that takes events of the kind; another one does not compile. */
type EventHandlerDecorator<K extends BerbixEventKind> = <
  Method extends (event: BerbixEvent<K>) => unknown,
>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Calls a method of a provider or controller with each event of this kind, after the work that it
 * is about. Nothing waits for what the method returns; if it throws or rejects, that is logged. It
 * runs in this process only: other replicas have events of their own.
 *
 * Repeat the decorator for several kinds. A request-scoped or transient class stops the boot with a
 * {@link BerbixConfigurationError}.
 *
 * Use it as `@OnBerbixEvent('token.dead') alert({ transactionId }: BerbixEvent<'token.dead'>) { ... }`.
 *
 * @param account as passed to `forRoot`, if there is one
 * @throws {BerbixConfigurationError} on anything but an instance method, and for an unknown kind
 */
export function OnBerbixEvent<K extends BerbixEventKind>(
  kind: K,
  account?: string,
): EventHandlerDecorator<K> {
  if (!EVENT_KINDS.includes(kind)) {
    throw new BerbixConfigurationError(
      `The first argument of @OnBerbixEvent must be one of ${EVENT_KINDS.join(', ')}.`,
    );
  }
  const route: EventRoute = {
    kind,
    account: checkAccount('The second argument of @OnBerbixEvent', account),
  };
  return handlerDecorator(EVENT_HANDLERS, route);
}

/** Passes the events of an account on to the methods with {@link OnBerbixEvent}. */
@Injectable()
export class EventHandlers implements OnApplicationBootstrap {
  readonly #logger = new Logger('BerbixEvents');

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(EventBus) private readonly bus: EventBus,
  ) {}

  /** @throws {BerbixConfigurationError} for a handler that can never be called */
  onApplicationBootstrap(): void {
    const handlers = findHandlers<EventRoute, BerbixEvent>({
      kind: EVENT_HANDLERS,
      discovery: this.discovery,
      account: this.bus.account,
      accounts: EventBus,
      logger: this.#logger,
    });
    if (handlers.length === 0) return;
    this.bus.listen((event) => {
      for (const handler of handlers) {
        if (handler.route.kind === event.kind) void this.#run(handler, event);
      }
    });
  }

  async #run(handler: Handler<EventRoute, BerbixEvent>, event: BerbixEvent): Promise<void> {
    try {
      await handler.run(event);
    } catch (error) {
      const { text, stack } = shown(error);
      this.#logger.error(`${handler.name} failed on a ${event.kind} event: ${text}`, stack);
    }
  }
}
