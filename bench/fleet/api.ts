import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Peer } from '../support/peer.js';

/** `begin` counts anew. */
export type ApiQuestion = 'counts' | 'begin';

/** What the API counted since it began to. */
export interface ApiCounts {
  exchanges: number;
  /** Exchanges of one refresh token at the same time, at most. */
  mostAtOnce: number;
  /** Exchanges of a refresh token within 70 % of the life of the tokens before. */
  early: number;
}

/** What the process of the API tells. */
export interface ApiState extends ApiCounts {
  url: string;
  /** The authority to trust, in PEM. */
  ca: string;
}

/** An API whose tokens live shortly, in a process of its own: it takes 20 ms for an exchange, and counts. */
export class ShortLivedApi {
  private constructor(
    private readonly peer: Peer<ApiQuestion, ApiState>,
    private readonly directory: string,
    readonly url: string,
  ) {}

  /** Path of the authority to trust, for `NODE_EXTRA_CA_CERTS`. */
  get caPath(): string {
    return join(this.directory, 'ca.pem');
  }

  /**
   * Resolves when it listens.
   *
   * @param lifetimeSeconds of its tokens
   */
  static async start(lifetimeSeconds: number): Promise<ShortLivedApi> {
    const file = new URL('./api.process.js', import.meta.url);
    const peer = new Peer<ApiQuestion, ApiState>(file, [`${lifetimeSeconds * 1_000}`]);
    const { url, ca } = await peer.ask('counts');
    const directory = await mkdtemp(join(tmpdir(), 'nestjs-berbix-bench-'));
    const api = new ShortLivedApi(peer, directory, url);
    await writeFile(api.caPath, ca);
    return api;
  }

  /** Counts what happens during some work, without the first seconds of it. */
  async count<T>(
    work: () => Promise<T>,
    leadSeconds: number,
  ): Promise<{ result: T; counts: ApiCounts }> {
    const working = work();
    await sleep(leadSeconds * 1_000);
    await this.peer.ask('begin');
    const result = await working;
    const { exchanges, mostAtOnce, early } = await this.peer.ask('counts');
    return { result, counts: { exchanges, mostAtOnce, early } };
  }

  /** Ends it and removes what is on the disk. */
  async stop(): Promise<void> {
    await this.peer.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
