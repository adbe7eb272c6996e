import { inspect } from 'node:util';
import { isBerbixError, type BerbixTokens, type BerbixTransactionRef } from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import type { FreshTokensOptions } from '../../../lib/tokens/index.js';
import { CANARY, type FakeApi, type SeenExchange, type Sender } from './fake-api.js';
import type { StoreCall } from './replica-store.js';

/** The time limit of each call of the replicas. */
export const TOTAL_TIMEOUT_MS = 15_000;

interface DoneCall {
  call: StoreCall;
  key: string;
  from: Sender;
  text?: string;
  result: unknown;
}

/** For how long another replica may hand out forgotten tokens: until its recheck, which may be slow. */
const NOTICED_WITHIN_MS = 30_000 + TOTAL_TIMEOUT_MS;

/** Checks what must hold at every moment; {@link Watch.faults} has what does not. */
export class Watch {
  readonly faults: string[] = [];
  /** The number of calls in flight. */
  open = 0;
  /** Something has failed, so stale tokens may be handed out. */
  isTroubled = false;
  /** The store ends leases early, so two exchanges may be in flight at the same time. */
  endsLeasesEarly = false;
  /** Nobody knows that two names lead to the same transaction, so each has exchanges of its own. */
  hasTwoNames = false;
  /** When the store last failed. */
  storeFailedAt = -Infinity;
  readonly #committed = new Set<string>();
  /** Refresh tokens whose successor was committed. */
  readonly #succeeded = new Set<string>();
  readonly #stored = new Map<string, string>();
  readonly #versions = new Map<string, { version: number; leaseEpoch: number }>();
  /** How often each refresh token was changed from outside, now and when a replica leased it. */
  readonly #changes = new Map<string, number>();
  readonly #leases = new Map<string, number>();
  readonly #ofExchanges = new Map<SeenExchange, number | undefined>();
  readonly #forgotten = new Map<string, { at: number; by: Sender }>();

  constructor(private readonly api: FakeApi) {
    api.onPresented = (exchange) => this.#presented(exchange);
  }

  /** Makes a call of `fresh()` or `refresh()`, and checks its result. */
  async calls(
    replica: Sender,
    ref: BerbixTransactionRef | BerbixTokens | string,
    options: FreshTokensOptions | undefined,
    call: () => Observable<BerbixTokens>,
  ): Promise<BerbixTokens> {
    const begun = performance.now();
    const id = idOf(ref);
    const forgotten = id === undefined ? undefined : this.#forgotten.get(id);
    this.open++;
    try {
      const tokens = await firstValueFrom(call());
      if (!replica.isDead) this.#handedOut(replica, id, tokens, options, forgotten);
      return tokens;
    } catch (error) {
      if (showsSecret(error)) this.faults.push(`I10: a secret in ${(error as Error).name}`);
      throw error;
    } finally {
      this.open--;
      const tookMs = performance.now() - begun;
      if (tookMs > TOTAL_TIMEOUT_MS) this.faults.push(`I12: a call took ${tookMs} ms`);
    }
  }

  /** Checks a call to the store that was done. */
  stored({ call, key, from, text = '', result }: DoneCall): void {
    const id = key.replace(/^.*\//, '');
    if (call === 'forget') this.#changed(id);
    if (call === 'lease' && result !== undefined) {
      // By refresh token too: a replica may lease a new one while it still holds the lease of the old one.
      const leased = `${from.name} ${id} ${this.#stored.get(key)}`;
      this.#leases.set(leased, this.#changes.get(id) ?? 0);
      this.#grows(key, undefined, (result as { leaseEpoch: number }).leaseEpoch);
    }
    if (call === 'commit' && result !== undefined) {
      this.#grows(key, result as number, undefined);
      this.#took(key, id, inRecord(text));
    }
  }

  /** The store has lost confirmed writes. */
  failedOver(): void {
    this.#versions.clear();
    this.#stored.clear();
    this.#succeeded.clear();
  }

  /** From now on, the tokens of a transaction are forgotten, or are there again. */
  forgotten(id: string, by: Sender | undefined): void {
    if (by === undefined) this.#forgotten.delete(id);
    else this.#forgotten.set(id, { at: performance.now(), by });
  }

  /** Whether the current refresh token is lost, because it was never committed. */
  isLost(id: string): boolean {
    return !this.#committed.has(this.api.currentOf(id));
  }

  #took(key: string, id: string, record: { refreshToken?: string }): void {
    const { refreshToken } = record;
    if (refreshToken === undefined) return;
    const before = this.#stored.get(key);
    this.#stored.set(key, refreshToken);
    this.#committed.add(refreshToken);
    this.#succeeded.delete(refreshToken);
    if (before === undefined || before === refreshToken) return;
    if (this.api.isSuccessor(refreshToken, before)) this.#succeeded.add(before);
    else this.#changed(id);
  }

  #changed(id: string): void {
    this.#changes.set(id, (this.#changes.get(id) ?? 0) + 1);
  }

  #grows(key: string, version = 0, leaseEpoch = 0): void {
    const last = this.#versions.get(key) ?? { version: 0, leaseEpoch: 0 };
    if (version !== 0 && version <= last.version) this.faults.push('I5: a version came twice');
    if (leaseEpoch !== 0 && leaseEpoch <= last.leaseEpoch)
      this.faults.push('I5: a lease epoch came twice');
    this.#versions.set(key, {
      version: Math.max(version, last.version),
      leaseEpoch: Math.max(leaseEpoch, last.leaseEpoch),
    });
  }

  #presented(exchange: SeenExchange): void {
    const { id, refreshToken, from } = exchange;
    if (this.hasTwoNames) return;
    if (this.#succeeded.has(refreshToken)) {
      this.faults.push('I3: a refresh token was presented after its successor was committed');
    }
    const change = this.#leases.get(`${from.name} ${id} ${refreshToken}`);
    this.#ofExchanges.set(exchange, change);
    if (this.endsLeasesEarly) return;
    const beside = this.api
      .inFlight(id)
      .filter((one) => one !== exchange && this.#ofExchanges.get(one) === change);
    if (beside.length > 0) this.faults.push(`I2: ${beside.length + 1} exchanges at the same time`);
  }

  #handedOut(
    replica: Sender,
    id: string | undefined,
    tokens: BerbixTokens,
    { leewayMs }: FreshTokensOptions = {},
    forgotten: { at: number; by: Sender } | undefined,
  ): void {
    const { lifetimeMs } = this.api;
    const usual = leewayMs ?? Math.min(60_000, lifetimeMs / 10);
    const least = this.isTroubled ? Math.min(5_000, lifetimeMs * 0.02) : usual;
    const leftMs = this.api.leftOf(tokens.accessToken);
    if (leftMs < least) this.faults.push(`I1: tokens valid for ${leftMs} ms were handed out`);
    if (id !== undefined && !this.#committed.has(tokens.refreshToken)) {
      this.faults.push('I4: a refresh token was handed out before it was committed');
    }
    if (forgotten === undefined || forgotten !== this.#forgotten.get(id ?? '')) return;
    const sinceMs = performance.now() - forgotten.at;
    const noticeableMs = performance.now() - Math.max(forgotten.at, this.storeFailedAt);
    if (forgotten.by === replica || noticeableMs > NOTICED_WITHIN_MS) {
      this.faults.push(`I8: tokens were handed out ${sinceMs} ms after they were forgotten`);
    }
  }
}

/** The id of the transaction; the uid of a customer may contain it. */
function idOf(ref: BerbixTransactionRef | BerbixTokens | string): string | undefined {
  if (typeof ref === 'string') return undefined;
  return 'customerUid' in ref ? /\d+/.exec(ref.customerUid)?.[0] : ref.transactionId;
}

/** The content of a stored value that is not encrypted. */
export function inRecord(value = '{}'): { refreshToken?: string; accessToken?: string } {
  const [json = '{}'] = /\{.*/s.exec(value) ?? [];
  return JSON.parse(json) as object;
}

/** Whether any view of an error shows a secret. */
export function showsSecret(error: unknown): boolean {
  const views = [inspect(error, { depth: 9, showHidden: true, getters: true }), String(error)];
  if (error instanceof Error) views.push(JSON.stringify(error), error.stack ?? '');
  if (isBerbixError(error)) views.push(inspect(error.cause));
  return views.some((view) => view.includes(CANARY));
}
