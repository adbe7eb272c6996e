import type { Observable, Subscription } from 'rxjs';
import type { Caller } from './observe.js';
import { outside } from './outside.js';

/**
 * Callers with the same key share one run: each gets its value or error, one that leaves does not
 * disturb the others, the last one to leave aborts it. A caller who comes after the value starts a
 * new run.
 *
 * The run is in the context of none of them, and each goes on in its own. RxJS has `share` for this,
 * which calls everybody from the context of the first one.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>();

  /** @param start makes a run that emits once; called when there is none under way for the key */
  constructor(private readonly start: (key: string) => Observable<T>) {}

  /** @param caller who may leave; left out where nobody does */
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
        // The key is free before callers go on: one that asks again starts a new run.
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

  /** Nobody joins any more; a newer run for the key stays. */
  #end(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
  }
}

class Run<T> {
  result!: Promise<T>;
  subscription: Subscription | undefined;
  callers = 0;
}
