import { BerbixTokens } from 'nestjs-berbix';
import type { BerbixDispatcher } from '../../../lib/http/index.js';

type Handler = Parameters<BerbixDispatcher['dispatch']>[1];
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0];

/** What the API does with the refresh token that is presented. */
export type Habit = 'omit' | 'echo' | 'strict' | { graceMs: number };

/** What goes wrong with an exchange. */
export type ApiFault =
  | { status: number; body?: object; headers?: Record<string, string> }
  | 'refused'
  | 'reset-before'
  | 'reset-after'
  | 'hang-before'
  | 'hang-after'
  | 'bad-answer'
  | 'bad-id';

/** A process. After it is killed, nothing from it reaches the API, nor the other way round. */
export interface Sender {
  readonly name: string;
  readonly isDead: boolean;
}

/** One exchange as the API saw it. */
export interface SeenExchange {
  readonly id: string;
  readonly refreshToken: string;
  readonly from: Sender;
  readonly at: number;
  isOpen: boolean;
  /** Whether the API has acted on it. */
  isDone: boolean;
}

interface Transaction {
  current: string;
  /** Superseded refresh tokens, and until when the API still accepts them. */
  superseded: Map<string, number>;
  isGone: boolean;
}

/** Every secret contains this word, so that a leaked one is found. */
export const CANARY = 'canary';

/** Answers `POST /v0/tokens` in this process and in virtual time, and records every exchange. */
export class FakeApi {
  habit: Habit = 'omit';
  lifetimeMs = 3_600_000;
  /** There and back. */
  latencyMs = 40;
  /** For all exchanges, until it is unset. */
  fault: ApiFault | undefined;
  /** One for each of the next exchanges, before {@link fault} applies. */
  readonly faults: (ApiFault | undefined)[] = [];
  readonly exchanges: SeenExchange[] = [];
  /** Called when an exchange leaves the process. */
  onPresented: (exchange: SeenExchange) => void = () => {};
  /** Awaited before the API acts, and again before its answer arrives. */
  gate: (what: string) => Promise<void> = () => Promise.resolve();
  readonly #transactions = new Map<string, Transaction>();
  readonly #owners = new Map<string, string>();
  readonly #successors = new Map<string, string>();
  readonly #ends = new Map<string, number>();
  #count = 0;

  /** Creates a transaction. */
  create(id: string): BerbixTokens {
    const refreshToken = this.#newRefreshToken(id);
    this.#transactions.set(id, { current: refreshToken, superseded: new Map(), isGone: false });
    return this.tokensOf(id);
  }

  /** Its current tokens with a new access token, as in the answer to its creation. */
  tokensOf(id: string): BerbixTokens {
    return new BerbixTokens({
      refreshToken: this.#of(id).current,
      accessToken: this.#newAccessToken(),
      clientToken: `${CANARY}-client-${this.#count}`,
      expiresAt: new Date(Date.now() + this.lifetimeMs),
      lifetimeMs: this.lifetimeMs,
      transactionId: id,
    });
  }

  /** Gives the transaction an unrelated refresh token; its earlier ones become unknown. */
  reissue(id: string): BerbixTokens {
    const transaction = this.#of(id);
    transaction.superseded.clear();
    transaction.current = this.#newRefreshToken(id);
    return this.tokensOf(id);
  }

  /** Deletes the transaction. */
  purge(id: string): void {
    this.#of(id).isGone = true;
  }

  currentOf(id: string): string {
    return this.#of(id).current;
  }

  isSuccessor(refreshToken: string, of: string): boolean {
    return this.#successors.get(of) === refreshToken;
  }

  /** For how many milliseconds the access token is still valid; below 0 if it is not. */
  leftOf(accessToken: string | undefined): number {
    return (this.#ends.get(accessToken ?? '') ?? -Infinity) - performance.now();
  }

  inFlight(id: string): SeenExchange[] {
    return this.exchanges.filter((one) => one.id === id && one.isOpen && !one.from.isDead);
  }

  dispatcher(from: Sender): BerbixDispatcher {
    return {
      dispatch: (options, handler) => {
        if (!from.isDead) this.#receive(from, JSON.parse(String(options.body)), handler);
        return true;
      },
    };
  }

  #receive(from: Sender, { refresh_token }: { refresh_token: string }, handler: Handler): void {
    const fault = this.faults.length > 0 ? this.faults.shift() : this.fault;
    const exchange: SeenExchange = {
      id: this.#owners.get(refresh_token) ?? '',
      refreshToken: refresh_token,
      from,
      at: performance.now(),
      isOpen: true,
      isDone: false,
    };
    const controller = { abort: () => (exchange.isOpen = false) } as unknown as Controller;
    const fail = (code: string): void => {
      if (!exchange.isOpen || from.isDead) return;
      exchange.isOpen = false;
      handler.onResponseError?.(controller, Object.assign(new Error(code), { code }));
    };
    if (fault === 'refused') return void queueMicrotask(() => fail('ECONNREFUSED'));
    this.exchanges.push(exchange);
    this.onPresented(exchange);
    handler.onRequestStart?.(controller, {} as never);
    void this.#serve(exchange, fault).then((answer) => {
      if (answer === undefined) return;
      if ('reset' in answer) return fail('ECONNRESET');
      if (!exchange.isOpen || from.isDead) return;
      exchange.isOpen = false;
      handler.onResponseStart?.(controller, answer.status, answer.headers ?? {}, '');
      handler.onResponseData?.(controller, Buffer.from(JSON.stringify(answer.body ?? {})));
      handler.onResponseEnd?.(controller, {});
    });
  }

  async #serve(
    exchange: SeenExchange,
    fault: ApiFault | undefined,
  ): Promise<Exclude<ApiFault, string> | { reset: true } | undefined> {
    await this.gate('there');
    await pass(this.latencyMs / 2);
    if (fault === 'hang-before') return undefined;
    if (fault === 'reset-before') return { reset: true };
    const answer = typeof fault === 'object' ? fault : this.#act(exchange, fault);
    await this.gate('back');
    await pass(this.latencyMs / 2);
    if (fault === 'hang-after') return undefined;
    return fault === 'reset-after' ? { reset: true } : answer;
  }

  /** A request that was sent is acted on, whether or not anybody waits for the answer. */
  #act(exchange: SeenExchange, fault: ApiFault | undefined): Exclude<ApiFault, string> {
    const { id, refreshToken } = exchange;
    const transaction = this.#transactions.get(id);
    if (transaction?.isGone) return { status: 410, body: { message: 'gone' } };
    const isCurrent = transaction?.current === refreshToken;
    if (!isCurrent && !((transaction?.superseded.get(refreshToken) ?? 0) > performance.now())) {
      return { status: 400, body: { readable: 'invalid_refresh_token', message: 'unknown' } };
    }
    const { habit } = this;
    exchange.isDone = true;
    if (isCurrent && habit !== 'omit' && habit !== 'echo') {
      const graceMs = habit === 'strict' ? 0 : habit.graceMs;
      transaction.superseded.set(refreshToken, performance.now() + graceMs);
      transaction.current = this.#newRefreshToken(id);
      this.#successors.set(refreshToken, transaction.current);
    }
    const body = {
      access_token: this.#newAccessToken(),
      client_token: `${CANARY}-client-${this.#count}`,
      refresh_token: habit === 'omit' ? undefined : transaction?.current,
      transaction_id: fault === 'bad-id' ? 'none' : Number(id),
      expires_in: ((fault === 'bad-answer' ? -1 : 1) * this.lifetimeMs) / 1000,
    };
    return { status: 200, body };
  }

  #of(id: string): Transaction {
    return this.#transactions.get(id) as Transaction;
  }

  #newRefreshToken(id: string): string {
    const token = `${CANARY}-refresh-${++this.#count}`;
    this.#owners.set(token, id);
    return token;
  }

  #newAccessToken(): string {
    const token = `${CANARY}-access-${++this.#count}`;
    this.#ends.set(token, performance.now() + this.lifetimeMs);
    return token;
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
