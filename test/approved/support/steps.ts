import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  BerbixTokens,
  type BerbixError,
  type BerbixEvent,
  type BerbixTransactionRef,
  type InMemoryTokenStore,
} from 'nestjs-berbix';
import type { StoredRecord } from 'nestjs-berbix/token-store';
import { EVENT_KINDS } from '../../../lib/events/berbix-event.js';
import type { FreshTokensOptions } from '../../../lib/tokens/index.js';
import { changed } from '../../support/changed-store.js';
import { closeAfterTest } from '../../support/closing.js';
import { outcomeOf, settle } from '../../renewal/support/virtual-time.js';
import { CANARY } from '../../renewal/support/fake-api.js';
import { SKEW_MS } from '../../renewal/support/replica-store.js';
import type { Replica, World } from '../../renewal/support/world.js';

/** A time on the store's clock, which is another one in each run. */
const TIME = /\b\d{13}(?:\.\d+)?\b/g;
/** How long a call to the store is on its way there, and back. */
const STORE_MS = 1;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g;

/** Writes down every call to the store and the API, every event, what callers get, and the log. */
export class Steps {
  readonly #lines: string[] = [];
  readonly #begunAt = performance.now();
  readonly #storeClock = performance.timeOrigin + this.#begunAt + SKEW_MS;

  constructor(private readonly world: World) {
    world.memory = this.#watched(world.memory);
    // So the times of later steps show that an answer was awaited.
    world.storeGate = () => new Promise((resolve) => setTimeout(resolve, STORE_MS));
    const { onPresented } = world.api;
    world.api.onPresented = (exchange) => {
      this.#write(`API: exchange of ${exchange.refreshToken} by ${exchange.from.name}`);
      onPresented(exchange);
    };
    const listener = (event: unknown): void => {
      const { kind, at: _, account: __, ...details } = event as BerbixEvent;
      this.#write(`event: ${kind} ${shown(details)}`);
    };
    for (const kind of EVENT_KINDS) subscribe(`nestjs-berbix:${kind}`, listener);
    closeAfterTest(async () => {
      for (const kind of EVENT_KINDS) unsubscribe(`nestjs-berbix:${kind}`, listener);
    });
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  fresh(
    replica: Replica,
    owner: BerbixTransactionRef | string,
    options?: FreshTokensOptions,
  ): Promise<void> {
    const given = [owner, ...(options === undefined ? [] : [options])].map(shown);
    return this.of(`${replica.name}: fresh(${given.join(', ')})`, replica.fresh(owner, options));
  }

  remember(
    replica: Replica,
    tokens: Parameters<Replica['remember']>[0],
    customerUid?: string,
  ): Promise<void> {
    const what = typeof tokens === 'string' ? tokens : `the tokens of ${tokens.refreshToken}`;
    const name = `${replica.name}: remember(${what}, ${customerUid ?? 'no customer'})`;
    return this.of(name, replica.remember(tokens, customerUid));
  }

  forget(replica: Replica, owner: BerbixTransactionRef): Promise<void> {
    return this.of(`${replica.name}: forget(${shown(owner)})`, replica.forget(owner));
  }

  /** What happens until the end of a call, and its outcome. */
  async of(name: string, call: Promise<unknown>): Promise<void> {
    this.#lines.push(...(this.#lines.length > 0 ? [''] : []), name);
    const { value, error, afterMs } = await outcomeOf(call);
    // The events.
    await settle();
    const outcome = error === undefined ? shownTokens(value) : shownError(error as BerbixError);
    this.#write(`=> ${outcome}, after ${Math.round(afterMs)} ms`);
  }

  /** A step that none of the calls shows. */
  note(line: string): void {
    this.#write(line);
  }

  #write(line: string): void {
    for (const text of this.world.logged.splice(0)) {
      if (text.includes(CANARY)) this.world.watch.faults.push('I10: a secret in the log');
      this.#writeLine(`log: ${text.replace(' undefined ', ' ')}`);
    }
    this.#writeLine(line);
  }

  #writeLine(line: string): void {
    const at = ((performance.now() - this.#begunAt) / 1_000).toFixed(3);
    const text = line
      .replaceAll(TIME, (time) => `{${Math.round(Number(time) - this.#storeClock)} ms}`)
      .replaceAll(UUID, '{uuid}');
    this.#lines.push(`${at.padStart(10)}  ${text}`);
  }

  #watched(memory: InMemoryTokenStore): InMemoryTokenStore {
    const names = ['load', 'lease', 'commit', 'release', 'forget', 'keys'] as const;
    const methods = names.map((name) => [
      name,
      async (...given: unknown[]) => {
        const call = memory[name] as (...args: unknown[]) => Promise<unknown>;
        const answer = await call.apply(memory, given);
        this.#write(`${name} ${given.map(shown).join(', ')} => ${shownAnswer(answer)}`);
        return answer;
      },
    ]);
    return changed(memory, Object.fromEntries(methods)) as InMemoryTokenStore;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** Without the value, which is in the line of its commit, and without the time. */
function shownAnswer(answer: unknown): string {
  if (typeof answer !== 'object') return shown(answer);
  const { now: _, value, note, ...rest } = answer as StoredRecord;
  const parts = [shown(rest), ...(note === undefined ? [] : [note])];
  return [...parts, ...(value === undefined ? [] : ['with a value'])].join(', ');
}

/** No log shows a secret; here, none is real. */
function shownTokens(value: unknown): string {
  if (!(value instanceof BerbixTokens)) return shown(value);
  const { refreshToken, accessToken, clientToken, lifetimeMs, expiresAt, transactionId } = value;
  const leftMs = expiresAt && Math.round(expiresAt.getTime() - Date.now());
  return shown({ refreshToken, accessToken, clientToken, lifetimeMs, leftMs, transactionId });
}

function shownError(error: Partial<BerbixError> & { name: string; reason?: string }): string {
  const { name, code = name, message, reason, retryable, retryAfterMs } = error;
  const tokens = error.tokens?.refreshToken;
  return `${code}: ${message} ${shown({ reason, retryable, retryAfterMs, tokens })}`;
}
