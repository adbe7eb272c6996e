import { Inject, Injectable } from '@nestjs/common';
import { TokenSigner } from '../auth/tokens.js';
import { SandboxClock } from '../clock.js';
import { SandboxFaults } from '../faults/sandbox-faults.js';
import { RequestLog } from '../http/request-log.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import {
  type CheckedState,
  parseState,
  type SandboxState,
  stateOf,
} from '../storage/state-document.js';
import { identityOf, SANDBOX_STORAGE, type SandboxStorage } from '../storage/storage.js';
import { ExchangeLog } from '../tokens/exchange-log.js';
import { KeyedMutex, Transactions } from '../transactions/transactions.js';
import { SandboxWebhooks } from '../webhooks/sandbox-webhooks.js';

/** What happened to the whole state. */
export type StateChange = 'imported' | 'reset';

/** Exports, replaces and clears what the sandbox knows. The options and secrets stay. */
@Injectable()
export class SandboxStateService {
  readonly #listeners: ((change: StateChange) => void)[] = [];
  readonly #mutex = new KeyedMutex();

  constructor(
    @Inject(SANDBOX_STORAGE) private readonly storage: SandboxStorage,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(TokenSigner) private readonly signer: TokenSigner,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
    @Inject(RequestLog) private readonly requests: RequestLog,
    @Inject(ExchangeLog) private readonly exchanges: ExchangeLog,
    @Inject(SandboxFaults) private readonly faults: SandboxFaults,
    @Inject(SandboxWebhooks) private readonly webhooks: SandboxWebhooks,
  ) {}

  /** The transactions that exist, the clock, and the key of their tokens. */
  export(): Promise<SandboxState> {
    return this.#alone(async () => {
      const transactions = await this.transactions.list({ limit: Number.MAX_SAFE_INTEGER });
      return stateOf({
        clockOffsetMs: this.clock.offset,
        signingKey: this.signer.key.toString('base64'),
        transactions: transactions.toReversed(),
      });
    });
  }

  /** @throws {ApiException} 400 if it is not a state that this version can read; nothing changes then */
  async import(document: unknown): Promise<void> {
    const state = parseState(document);
    await this.#alone(() => this.#replace(state, 'imported'));
  }

  /** Removes transactions, webhooks, faults and logs, and returns the clock to the real time. */
  async reset(): Promise<void> {
    const state = stateOf({ clockOffsetMs: 0, transactions: [] });
    await this.#alone(() => this.#replace(state, 'reset'));
  }

  /** Calls the listener after each change. */
  onChange(listener: (change: StateChange) => void): void {
    this.#listeners.push(listener);
  }

  /** One at a time, since two at the same time would mix their states. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#mutex.run('state', work);
  }

  /** The storage comes first, since it is all that can fail. */
  async #replace(state: CheckedState, change: StateChange): Promise<void> {
    const signingKey = state.signingKey ?? this.signer.key.toString('base64');
    await this.storage.replace(state.transactions, identityOf(this.settings, signingKey));
    this.signer.key = Buffer.from(signingKey, 'base64');
    await this.webhooks.reset();
    this.faults.clear();
    this.requests.clear();
    this.exchanges.clear();
    this.clock.offset = state.clockOffsetMs;
    for (const listener of this.#listeners) listener(change);
  }
}
