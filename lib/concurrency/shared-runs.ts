import { AsyncLocalStorage } from 'node:async_hooks';
import { Caller } from './observe.js';

/**
 * Runs a function outside the async context of any request. Use it for work that several callers
 * share: its hooks then see the AsyncLocalStorage of none of them. Each caller awaits a promise of
 * the work, and continues in their own context.
 *
 * The context is the one in which this file was loaded. If an application loads the package inside
 * a request, it is the context of that request.
 */
export const outside: <T>(run: () => T) => T = AsyncLocalStorage.snapshot();

/**
 * Callers with the same key share one run. Each gets its value or error. A caller who leaves does
 * not disturb the others (I9); the last one to leave aborts the run. A caller who comes after the
 * end starts a new run.
 *
 * The run is in the async context of none of them, and each continues in their own. `share` of RxJS
 * would continue all of them in the context of the first one.
 */
export class SharedRuns<A, T> {
  readonly #runs = new Map<string, Run<T>>();

  /**
   * @param start starts a run with the argument of its first caller; called if none is in flight
   * for the key. Its caller leaves when the last one of those who share it has left
   */
  constructor(private readonly start: (argument: A, caller: Caller) => Promise<T>) {}

  /** @param caller may leave; omit it if nobody does */
  join(key: string, argument: A, caller?: Caller): Promise<T> {
    const run = this.#runs.get(key) ?? this.#begin(key, argument);
    run.callers++;
    if (caller !== undefined) caller.onLeave = () => this.#leave(key, run);
    return run.result as Promise<T>;
  }

  #begin(key: string, argument: A): Run<T> {
    const run = new Run<T>();
    this.#runs.set(key, run);
    run.result = outside(() => this.#make(key, argument, run));
    return run;
  }

  /** Frees the key before callers continue, so that a caller who asks again starts a new run. */
  async #make(key: string, argument: A, run: Run<T>): Promise<T> {
    try {
      return await this.start(argument, run);
    } finally {
      this.#end(key, run);
    }
  }

  #leave(key: string, run: Run<T>): void {
    if (--run.callers > 0) return;
    run.leave();
    this.#end(key, run);
  }

  /** Frees the key, unless a newer run has it. */
  #end(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
    // A Map that has grown or shrunk leaves its old table behind, with the runs of that moment: it
    // would keep all of their graph in memory until the next full garbage collection.
    run.result = undefined;
    run.onLeave = undefined;
  }
}

/** One run, which is the caller of the work on behalf of all who share it. */
class Run<T> extends Caller {
  result: Promise<T> | undefined;
  callers = 0;
}
