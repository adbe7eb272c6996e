import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Peer } from './peer.js';
import type { Turn } from './turns.js';

/** The API secret of the clients. */
export const API_SECRET = 'secret_test_benchmark';

/** How the API behaves. */
export interface ApiPlan {
  /** Milliseconds of an exchange; with 0 it answers at once. */
  takesMs: number;
  /** The life of its tokens, in milliseconds. */
  lifetimeMs: number;
}

/** `reset` counts from zero. */
export type ApiQuestion = 'state' | 'reset';

/** What the API has counted. */
export interface ApiCounts {
  exchanges: number;
  /** The most exchanges of one refresh token at the same time. */
  concurrent: number;
  /** Exchanges of a refresh token within 70 % of the life of the tokens before. */
  early: number;
}

/** What the process of the API tells. */
export interface ApiState extends ApiCounts {
  url: string;
  /** The authority to trust, in PEM. */
  ca: string;
}

/**
 * An API that answers exchanges over TLS and does nothing else, in a process of its own. It is lean,
 * since it shares the machine with the client that is measured.
 */
export class Api {
  private constructor(
    private readonly peer: Peer<ApiQuestion, ApiState>,
    private readonly directory: string,
    readonly url: string,
  ) {}

  /** Resolves when it listens. */
  static async start({ takesMs = 0, lifetimeMs = 3_600_000 }: Partial<ApiPlan> = {}): Promise<Api> {
    const peer = new Peer<ApiQuestion, ApiState>(new URL('./api.process.js', import.meta.url), {
      args: [JSON.stringify({ takesMs, lifetimeMs } satisfies ApiPlan)],
    });
    const { url, ca } = await peer.ask('state');
    const api = new Api(peer, await mkdtemp(join(tmpdir(), 'nestjs-berbix-bench-')), url);
    await writeFile(api.#caPath, ca);
    return api;
  }

  /**
   * Starts a client that trusts the API; its first argument is the URL.
   *
   * @param file a module that calls `answer`
   * @param flags of Node.js
   */
  client<Question, Answer>(
    file: URL,
    args: readonly string[] = [],
    flags: readonly string[] = [],
  ): Peer<Question, Answer> {
    return new Peer(file, {
      args: [this.url, ...args],
      env: { NODE_EXTRA_CA_CERTS: this.#caPath },
      flags: ['--expose-gc', ...flags],
    });
  }

  /**
   * Measures a turn, and checks that the API counted as many exchanges.
   *
   * @throws {Error} if it counted more or fewer: then something else was measured
   */
  async countedTurn(measure: () => Promise<Turn>): Promise<Turn> {
    await this.counts('reset');
    const turn = await measure();
    const { exchanges } = await this.counts();
    if (exchanges === turn.done) return turn;
    throw new Error(`The API made ${exchanges} exchanges where ${turn.done} were expected.`);
  }

  counts(question: ApiQuestion = 'state'): Promise<ApiCounts> {
    return this.peer.ask(question);
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.peer.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #caPath(): string {
    return join(this.directory, 'ca.pem');
  }
}
