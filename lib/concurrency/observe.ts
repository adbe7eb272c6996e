import { Observable } from 'rxjs';

/** A caller who waits, and may leave. */
export class Caller {
  hasLeft = false;
  /** Called if they unsubscribe before the end. */
  onLeave: (() => void) | undefined;
}

/**
 * A cold Observable of the result of an async function; emits once and completes. The promise is
 * awaited in the async context of the subscriber, so the operators after it run there too.
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
