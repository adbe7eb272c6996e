import { Inject, Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { BerbixEvent } from './berbix-event.js';
import { EventBus } from './event-bus.js';

/** What happens in an account, to log, count or audit it. */
@Injectable()
export class BerbixEvents {
  /**
   * All events of the account from the subscription on, in order; never completes. They come after
   * the work that they are about, so a subscriber cannot delay or fail it. An error that a subscriber
   * throws is an uncaught exception, as always with RxJS; for methods with {@link OnBerbixEvent} it
   * is logged instead.
   *
   * @example
   * ```ts
   * this.events.events$
   *   .pipe(filter(({ kind }) => kind === 'token.dead'))
   *   .subscribe(({ account }) => this.alerts.raise(account));
   * ```
   */
  readonly events$: Observable<BerbixEvent>;

  constructor(@Inject(EventBus) bus: EventBus) {
    this.events$ = new Observable((subscriber) => bus.listen((event) => subscriber.next(event)));
  }
}
