import { once } from 'node:events';
import { Inject, Injectable } from '@nestjs/common';
import { EventFeed } from './event-feed.js';
import type { SandboxEvent, SandboxEventKind, SandboxEventOf } from './sandbox-event.js';

/**
 * What happens in the sandbox, for tests that wait for it. The sandbox keeps the last 1000 events: a
 * loop that falls behind by more ends with an error.
 *
 * @example
 * const exchanged = sandbox.events.next('exchange', ({ exchange }) => exchange.outcome === 'answered');
 * await app.refresh();
 * await exchanged;
 *
 * @example
 * for await (const event of sandbox.events) {
 *   if (event.kind === 'delivery' && event.delivery.delivered) break;
 * }
 */
@Injectable()
export class SandboxEvents implements AsyncIterable<SandboxEvent> {
  /** @internal */
  constructor(@Inject(EventFeed) private readonly feed: EventFeed) {}

  /** All events from now on, until the sandbox is closed. */
  [Symbol.asyncIterator](): AsyncGenerator<SandboxEvent, void> {
    return this.#after(this.feed.last);
  }

  /**
   * The next event of a kind, from now on: call it before what causes the event.
   *
   * @param matches says whether the event is the one to wait for; any by default
   * @throws {Error} if the sandbox is closed before, or the signal is aborted
   */
  next<Kind extends SandboxEventKind>(
    kind: Kind,
    matches: (event: SandboxEventOf<Kind>) => boolean = () => true,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SandboxEventOf<Kind>> {
    const next = this.#next(kind, matches, signal);
    // A test that fails before it waits has one failure, not an unhandled rejection besides.
    next.catch(() => undefined);
    return next;
  }

  async #next<Kind extends SandboxEventKind>(
    kind: Kind,
    matches: (event: SandboxEventOf<Kind>) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<SandboxEventOf<Kind>> {
    const isOfKind = (event: SandboxEvent): event is SandboxEventOf<Kind> => event.kind === kind;
    for await (const event of this.#after(this.feed.last, signal)) {
      if (isOfKind(event) && matches(event)) return event;
    }
    throw new Error(`The sandbox was closed before the next event "${kind}".`);
  }

  async *#after(last: number, signal?: AbortSignal): AsyncGenerator<SandboxEvent, void> {
    for (let number = last + 1; ; number += 1) {
      while (number > this.feed.last) {
        if (this.feed.isClosed) return;
        await once(this.feed.changes, 'change', { signal });
      }
      const next = this.feed.at(number);
      if (!next) throw new Error('The loop has missed events: the sandbox keeps the last 1000.');
      yield next.event;
    }
  }
}
