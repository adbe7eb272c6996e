import type { Observable, Subscription } from 'rxjs';
import type { Caller } from './observe.js';
import { outside } from './outside.js';

/**
 * Callers with the same key share one run. Each gets its value or error. A caller who leaves does
 * not disturb the others (I9); the last one to leave aborts the run. A caller who comes after the
 * value starts a new run.
 *
 * The run is in the async context of none of them, and each continues in their own. `share` of RxJS
 * would continue all of them in the context of the first one.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>();

  /** @param start starts a run, which emits once; called if none is in flight for the key */
  constructor(private readonly start: (key: string) => Observable<T>) {}

  /** @param caller may leave; omit it if nobody does */
  join(key: string, caller?: Caller): Promise<T> {
    const run = this.#runs.get(key) ?? this.#begin(key);
    run.callers++;
    if (caller !== undefined) caller.onLeave = () => this.#leave(key, run);
    return run.result;
  }

  #begin(key: string): Run<T> {
    const run = new Run<T>();
    this.#runs.set(key, run);
    run.result = new Promise((resolve, reject) =>
      outside(() => {
        // Free the key before callers continue, so that a caller who asks again starts a new run.
        run.subscription = this.start(key).subscribe({
          next: (value) => {
            this.#end(key, run);
            resolve(value);
          },
          error: (error: unknown) => {
            this.#end(key, run);
            reject(error);
          },
        });
      }),
    );
    return run;
  }

  #leave(key: string, run: Run<T>): void {
    if (--run.callers > 0) return;
    this.#end(key, run);
    run.subscription?.unsubscribe();
  }

  /** Frees the key, unless a newer run has it. */
  #end(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
  }
}

class Run<T> {
  result!: Promise<T>;
  subscription: Subscription | undefined;
  callers = 0;
}
