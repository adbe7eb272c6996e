import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeAfterFile } from '../../support/closing.js';

/** One `POST /v0/tokens` as the proxy saw it; times are wall-clock times. */
export interface SeenExchange {
  readonly transactionId: string;
  /** Which of the refresh tokens of the transaction was presented. */
  readonly generation: number;
  readonly worker: string;
  /** The name of the attempt and when it was sent, according to the worker. */
  readonly attempt: string;
  readonly sentAt: number;
  readonly begunAt: number;
  /** The status of the API's answer; undefined if the connection ended before it. */
  status: number | undefined;
  endedAt: number | undefined;
}

/** Two exchanges for one transaction that were in flight at the same time. */
export interface Overlap {
  readonly first: SeenExchange;
  readonly second: SeenExchange;
}

/** Milliseconds of an exchange with a slow API; long enough for two of them to overlap. */
const [FASTEST_MS, SLOWEST_MS] = [5, 40];

/** A proxy in front of a sandbox: makes exchanges as slow as real ones, and records overlaps. */
export class ExchangeProxy {
  readonly exchanges: SeenExchange[] = [];
  readonly overlaps: Overlap[] = [];
  /** Holds back the API's answers to exchanges. */
  isHolding = false;
  readonly #inFlight = new Map<string, Set<SeenExchange>>();
  /** No connection is reused: one that the API closes meanwhile would look like a fault. */
  readonly #agent = new Agent({ keepAlive: false });
  #url = '';

  private constructor(
    private readonly target: string,
    private readonly onExchange: () => void,
  ) {}

  /**
   * Starts a proxy in front of the API at this URL, until the tests of the file end.
   *
   * @param onExchange called before each exchange reaches the API
   */
  static async start(target: string, onExchange = (): void => {}): Promise<ExchangeProxy> {
    const proxy = new ExchangeProxy(target, onExchange);
    const server = createServer((incoming, response) => void proxy.#serve(incoming, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    closeAfterFile(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      proxy.#agent.destroy();
    });
    return proxy;
  }

  get url(): string {
    return this.#url;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on('error', () => {});
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const isExchange = incoming.method === 'POST' && incoming.url === '/v0/tokens';
    const seen = isExchange ? this.#begin(incoming, response, body.toString()) : undefined;
    if (seen !== undefined) {
      await sleep(FASTEST_MS + Math.random() * (SLOWEST_MS - FASTEST_MS));
      if (response.destroyed) return;
      this.onExchange();
    }
    this.#forward(incoming, response, body, seen);
  }

  #begin(incoming: IncomingMessage, response: ServerResponse, body: string): SeenExchange {
    const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string };
    const content = Buffer.from(refreshToken.slice(3, -43), 'base64url').toString();
    const [transactionId = '', generation] = content.split('.');
    const seen: SeenExchange = {
      transactionId,
      generation: Number(generation),
      worker: String(incoming.headers['x-worker']),
      attempt: String(incoming.headers['x-attempt']),
      sentAt: Number(incoming.headers['x-sent-at']),
      begunAt: Date.now(),
      status: undefined,
      endedAt: undefined,
    };
    this.exchanges.push(seen);
    const others = this.#inFlight.get(transactionId) ?? new Set();
    this.overlaps.push(...[...others].map((first) => ({ first, second: seen })));
    this.#inFlight.set(transactionId, others.add(seen));
    response.once('close', () => this.#end(seen));
    return seen;
  }

  #end(seen: SeenExchange): void {
    seen.endedAt ??= Date.now();
    this.#inFlight.get(seen.transactionId)?.delete(seen);
  }

  #forward(
    incoming: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    seen: SeenExchange | undefined,
  ): void {
    const { method, headers } = incoming;
    const options = { method, headers, agent: this.#agent };
    const upstream = request(this.target + incoming.url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => response.destroy());
      answer.on('end', () => {
        if (seen !== undefined) {
          seen.status = answer.statusCode;
          if (this.isHolding) return;
          this.#end(seen);
        }
        response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' });
        response.end(Buffer.concat(chunks));
      });
    });
    upstream.on('error', () => response.destroy());
    response.once('close', () => upstream.destroy());
    upstream.end(body);
  }
}
