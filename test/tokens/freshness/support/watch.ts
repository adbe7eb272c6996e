import { inspect } from 'node:util';
import {
  isBerbixError,
  type BerbixTokens,
  type FreshTokensOptions,
  type TransactionRef,
} from 'nestjs-berbix';
import { firstValueFrom, type Observable } from 'rxjs';
import { CANARY, type FakeApi, type SeenExchange, type Sender } from './fake-api.js';
import type { StoreCall } from './replica-store.js';

/** For each call; of the replicas of the test. */
export const TOTAL_TIMEOUT_MS = 15_000;

interface Deed {
  call: StoreCall;
  key: string;
  from: Sender;
  text?: string;
  result: unknown;
}

/** Another replica may hand out for so long what was forgotten: until it looks, and a slow look. */
const NOTICED_WITHIN_MS = 30_000 + TOTAL_TIMEOUT_MS;

/** What must hold at every moment, whatever happens; what does not is in {@link Watch.faults}. */
export class Watch {
  readonly faults: string[] = [];
  /** Calls that have not ended. */
  open = 0;
  /** Something has failed, so that tokens near their end may be handed out. */
  isTroubled = false;
  /** The store ends leases early, so that two exchanges may be under way at the same time. */
  endsLeasesEarly = false;
  /** When the store failed last. */
  storeFailedAt = -Infinity;
  readonly #committed = new Set<string>();
  /** Refresh tokens whose successor was committed. */
  readonly #succeeded = new Set<string>();
  readonly #stored = new Map<string, string>();
  readonly #versions = new Map<string, { version: number; fence: number }>();
  /** How often the refresh token was changed from outside; and when each replica leased it, told so. */
  readonly #changes = new Map<string, number>();
  readonly #leases = new Map<string, number>();
  readonly #ofExchanges = new Map<SeenExchange, number | undefined>();
  readonly #forgotten = new Map<string, { at: number; by: Sender }>();

  constructor(private readonly api: FakeApi) {
    api.onPresented = (exchange) => this.#presented(exchange);
  }

  /** A call of `fresh()` or `refresh()`, and what it gives. */
  async calls(
    replica: Sender,
    source: TransactionRef | BerbixTokens | string,
    options: FreshTokensOptions | undefined,
    call: () => Observable<BerbixTokens>,
  ): Promise<BerbixTokens> {
    const begun = performance.now();
    const id = idOf(source);
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

  /** Something was done to the store. */
  stored({ call, key, from, text = '', result }: Deed): void {
    const id = key.replace(/^.*\//, '');
    if (call === 'forget') this.#changed(id);
    if (call === 'lease' && result !== undefined) {
      // By the refresh token too: one replica may lease what came while it held what was there before.
      const leased = `${from.name} ${id} ${this.#stored.get(key)}`;
      this.#leases.set(leased, this.#changes.get(id) ?? 0);
      this.#grows(key, undefined, (result as { fence: number }).fence);
    }
    if (call === 'commit' && result !== undefined) {
      this.#grows(key, result as number, undefined);
      this.#took(key, id, inRecord(text));
    }
  }

  /** The store has lost writes that it had confirmed. */
  failedOver(): void {
    this.#versions.clear();
    this.#stored.clear();
    this.#succeeded.clear();
  }

  /** The tokens of a transaction are forgotten, or there again, as of now. */
  forgotten(id: string, by: Sender | undefined): void {
    if (by === undefined) this.#forgotten.delete(id);
    else this.#forgotten.set(id, { at: performance.now(), by });
  }

  /** Whether the refresh token that counts was ever committed: it is lost otherwise. */
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

  #grows(key: string, version = 0, fence = 0): void {
    const last = this.#versions.get(key) ?? { version: 0, fence: 0 };
    if (version !== 0 && version <= last.version) this.faults.push('I5: a version came twice');
    if (fence !== 0 && fence <= last.fence) this.faults.push('I5: a fence came twice');
    this.#versions.set(key, {
      version: Math.max(version, last.version),
      fence: Math.max(fence, last.fence),
    });
  }

  #presented(exchange: SeenExchange): void {
    const { id, refreshToken, from } = exchange;
    if (this.#succeeded.has(refreshToken)) {
      this.faults.push('I3: a refresh token was presented after its successor was committed');
    }
    const change = this.#leases.get(`${from.name} ${id} ${refreshToken}`);
    this.#ofExchanges.set(exchange, change);
    if (this.endsLeasesEarly) return;
    const beside = this.api
      .inFlight(id)
      .filter((one) => one !== exchange && this.#ofExchanges.get(one) === change);
    if (beside.length > 0) this.faults.push(`I2: ${beside.length + 1} exchanges at once`);
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
    if (leftMs < least) this.faults.push(`I1: tokens good for ${leftMs} ms were handed out`);
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

/** The transaction that is meant; that of a customer may have the number in his uid. */
function idOf(source: TransactionRef | BerbixTokens | string): string | undefined {
  if (typeof source === 'string') return undefined;
  return 'customerUid' in source ? /\d+/.exec(source.customerUid)?.[0] : source.transactionId;
}

/** What a stored value says, behind the mark of what is not encrypted; nothing where it is sealed. */
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
