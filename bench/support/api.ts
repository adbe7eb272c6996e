import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Peer } from './peer.js';

/** What the clients identify themselves with. */
export const API_SECRET = 'secret_test_benchmark';

/** What the process of the API tells. */
export interface ApiState {
  url: string;
  /** The authority to trust, in PEM. */
  ca: string;
  /** How many exchanges it has made. */
  exchanges: number;
}

/**
 * An API that answers every exchange over TLS and does nothing else, in a process of its own. Lean,
 * since it shares the machine with the client that is measured.
 */
export class Api {
  private constructor(
    private readonly peer: Peer<'state', ApiState>,
    private readonly directory: string,
    readonly url: string,
  ) {}

  /** Path of the authority to trust, for `NODE_EXTRA_CA_CERTS`: every client is set up the same. */
  get caPath(): string {
    return join(this.directory, 'ca.pem');
  }

  /** Resolves when it listens. */
  static async start(): Promise<Api> {
    const peer = new Peer<'state', ApiState>(new URL('./api.process.js', import.meta.url));
    const { url, ca } = await peer.ask('state');
    const api = new Api(peer, await mkdtemp(join(tmpdir(), 'nestjs-berbix-bench-')), url);
    await writeFile(api.caPath, ca);
    return api;
  }

  /**
   * Runs something that should make so many exchanges.
   *
   * @throws {Error} when it made more or fewer: what was measured is not what it is said to be
   */
  async expect<T>(exchanges: number, work: () => Promise<T>): Promise<T> {
    const before = await this.#exchanges();
    const result = await work();
    const made = (await this.#exchanges()) - before;
    if (made === exchanges) return result;
    throw new Error(`The API was asked for ${made} exchanges where ${exchanges} were expected.`);
  }

  /** Ends it and removes what is on the disk. */
  async stop(): Promise<void> {
    await this.peer.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #exchanges(): Promise<number> {
    return (await this.peer.ask('state')).exchanges;
  }
}
