import { Observable } from 'rxjs';

/** A caller who waits, and may leave. */
export class Caller {
  hasLeft = false;
  /** Called when they leave before the end. */
  onLeave: (() => void) | undefined;
}

/**
 * A cold Observable of what a function resolves to; emits once and completes. The operators after it
 * run in the async context of the subscriber, since that is where the promise is waited for.
 *
 * @param work called for each subscriber
 */
export function observe<T>(work: (caller: Caller) => Promise<T>): Observable<T> {
  return new Observable((subscriber) => {
    const caller = new Caller();
    work(caller).then(
      (value) => {
        caller.onLeave = undefined;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        caller.onLeave = undefined;
        subscriber.error(error);
      },
    );
    return () => {
      caller.hasLeft = true;
      caller.onLeave?.();
    };
  });
}
