import type { Dispatcher } from 'undici';
import { outside } from '../concurrency/index.js';
import type { BerbixDispatcher, BerbixHttpSettings } from './http.options.js';
import { WireFailure } from './wire-failure.js';

/** The dispatcher that sends the requests, and how to close it. */
export interface Connection {
  /**
   * Opens the dispatcher at the first call; from then on it is returned without a promise.
   *
   * @throws {WireFailure} once it is closed
   */
  open(): BerbixDispatcher | Promise<BerbixDispatcher>;
  /** Accepts no more requests, and waits for answers in flight. It can be called again. */
  close(): Promise<void>;
  /** Closes all connections immediately. */
  destroy(): Promise<void>;
}

/** The application's own dispatcher, which it closes itself, or a pool. */
export function createConnection(settings: BerbixHttpSettings): Connection {
  const { dispatcher } = settings.http;
  return dispatcher === undefined
    ? new PoolConnection(settings)
    : new ForeignConnection(dispatcher);
}

/** The application's own dispatcher. It stays open, but takes no more requests after the close. */
class ForeignConnection implements Connection {
  #isClosed = false;

  constructor(private readonly dispatcher: BerbixDispatcher) {}

  open(): BerbixDispatcher {
    if (this.#isClosed) throw shutDown();
    return this.dispatcher;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async destroy(): Promise<void> {}
}

/**
 * A pool of undici. Undici is loaded with the first request, since that takes about as long as
 * loading this whole package.
 */
class PoolConnection implements Connection {
  #pool: Dispatcher | undefined;
  #opening: Promise<Dispatcher> | undefined;
  #closing: Promise<void> | undefined;

  constructor(private readonly settings: BerbixHttpSettings) {}

  open(): Dispatcher | Promise<Dispatcher> {
    if (this.#closing !== undefined) throw shutDown();
    // The pool outlives the request that opens it.
    return this.#pool ?? (this.#opening ??= outside(() => this.#load()).catch(this.#failed));
  }

  close(): Promise<void> {
    return (this.#closing ??= Promise.resolve(this.#opening).then((pool) => pool?.close()));
  }

  async destroy(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.destroy();
  }

  /** The next request tries again. */
  readonly #failed = (error: unknown): never => {
    this.#opening = undefined;
    throw error;
  };

  async #load(): Promise<Dispatcher> {
    const { openPool } = await import('./pool.js');
    if (this.#closing !== undefined) throw shutDown();
    return (this.#pool = openPool(this.settings));
  }
}

/** Nothing is sent once the shutdown has begun. */
function shutDown(): WireFailure {
  return new WireFailure('shutdown', 'connecting');
}
