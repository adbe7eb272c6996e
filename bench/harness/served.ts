import { Pool } from 'undici';
import { measureTurn } from './measure.js';
import { Peer, answer } from './peer.js';
import type { Turn } from './turns.js';

/** How many requests are in flight. */
const CALLERS = 32;

/** `begin` and `end` of a turn; `target` tells where and how to send requests. */
type Question = 'target' | 'begin' | 'end';

/** In the process of a server: lets the other process load it, and measures this one meanwhile. */
export function serve(target: object): void {
  let end: (done: number) => void;
  let turn: Promise<Turn> | undefined;
  answer(async (question: Question) => {
    if (question === 'target') return target;
    if (question === 'end') {
      // The client knows how many requests there were.
      end(0);
      return turn;
    }
    turn = measureTurn(() => new Promise((resolve) => (end = resolve)));
    return undefined;
  });
}

/** A server in a process of its own, which this process loads. */
export class ServedTarget<Target extends { url: string }> {
  private constructor(
    private readonly peer: Peer<Question, unknown>,
    private readonly pool: Pool,
    readonly target: Target,
  ) {}

  /** @param file a module that calls {@link serve} */
  static async start<Target extends { url: string }>(
    file: URL,
    args: readonly string[],
  ): Promise<ServedTarget<Target>> {
    const peer = new Peer<Question, unknown>(file, { args, flags: ['--expose-gc'] });
    const target = (await peer.ask('target')) as Target;
    const pool = new Pool(target.url, { connections: CALLERS });
    return new ServedTarget(peer, pool, target);
  }

  /**
   * Sends requests for about `ms` milliseconds.
   *
   * @param request sends one, and rejects if the answer is wrong
   */
  async load(ms: number, request: (pool: Pool) => Promise<void>): Promise<Turn> {
    await this.peer.ask('begin');
    const start = performance.now();
    let done = 0;
    const caller = async (): Promise<void> => {
      for (; performance.now() < start + ms; done++) await request(this.pool);
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const wallMs = performance.now() - start;
    const turn = (await this.peer.ask('end')) as Turn;
    return { ...turn, done, wallMs };
  }

  async stop(): Promise<void> {
    await this.pool.close();
    await this.peer.stop();
  }
}
