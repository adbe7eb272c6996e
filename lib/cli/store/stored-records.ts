import { isReference, type Reference, type TokenRecord } from '../../records/index.js';
import { isBerbixError } from '../../errors/index.js';
import {
  encryptionKeyOf,
  type BerbixTokenStore,
  type ExchangeAttempt,
  type RecordCipher,
  type StoredRecord,
} from '../../token-store/index.js';

/** What can be told of a record without showing a token. */
export interface RecordSummary {
  /** The key of the record, without the account. */
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  /** The id of the key that it is sealed with; `none` for plaintext. */
  readonly encryptionKey: string;
  readonly record: StoredRecord & { readonly value: string };
  readonly attempt: ExchangeAttempt;
  /** The value; undefined if it cannot be decrypted with the keys of the environment. */
  readonly value: TokenRecord | Reference | undefined;
}

/** Number of records that are read concurrently. */
const WORKERS = 16;

/** Reads the records of one account. */
export class StoredRecords {
  readonly #prefix: string;

  constructor(
    private readonly store: BerbixTokenStore,
    private readonly cipher: RecordCipher,
    account: string,
  ) {
    this.#prefix = `${encodeURIComponent(account)}/`;
  }

  /** All records, in no particular order; one that changes meanwhile may be missing, or come twice. */
  async *all(): AsyncGenerator<RecordSummary> {
    let cursor: string | undefined;
    do {
      const page = await this.store.keys(this.#prefix, cursor);
      for (let from = 0; from < page.keys.length; from += WORKERS) {
        const keys = page.keys.slice(from, from + WORKERS);
        const found = await Promise.all(keys.map((key) => this.#read(key)));
        yield* found.filter((summary) => summary !== undefined);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** Undefined if there is no such record, or it was forgotten. */
  one(name: string): Promise<RecordSummary | undefined> {
    return this.#read(this.#prefix + name);
  }

  async #read(key: string): Promise<RecordSummary | undefined> {
    const record = await this.store.load(key);
    if (record?.value === undefined) return undefined;
    const name = key.slice(this.#prefix.length);
    const attempt = parse<ExchangeAttempt>(record.note) ?? {};
    const value = await this.#open(key, record.value);
    return {
      name,
      kind: name.split('/', 1)[0] ?? '',
      state: stateOf(record, attempt, value),
      encryptionKey: encryptionKeyOf(record.value),
      record: { ...record, value: record.value },
      attempt,
      value,
    };
  }

  async #open(key: string, sealed: string): Promise<TokenRecord | Reference | undefined> {
    try {
      return parse(await this.cipher.open(key, sealed));
    } catch (error) {
      // Without the key, it is still known who has the lease, and what the last attempt has left.
      if (isBerbixError(error)) return undefined;
      throw error;
    }
  }
}

/** Of records, in the words of docs/command-line.md; `dead` is followed by the code. */
export const STATES = [
  'fresh',
  'stale',
  'expired',
  'refresh token only',
  'leased',
  'cooling',
  'outcome unknown',
  'onRotation pending',
  'dead',
  'reference',
  'sealed',
] as const;

function stateOf(
  { leasedForMs, now }: StoredRecord,
  attempt: ExchangeAttempt,
  value: TokenRecord | Reference | undefined,
): (typeof STATES)[number] | `dead (${string})` {
  if (leasedForMs > 0) return 'leased';
  if (attempt.deadCode !== undefined) return `dead (${attempt.deadCode})`;
  if (isReference(value)) return 'reference';
  if (value?.pendingRotation !== undefined) return 'onRotation pending';
  if ((attempt.notBefore ?? 0) > now) return 'cooling';
  if (attempt.startedAt !== undefined) return 'outcome unknown';
  if (value === undefined) return 'sealed';
  const { expiresAt, refreshAfter = Infinity } = value;
  if (expiresAt === undefined) return 'refresh token only';
  if (expiresAt <= now) return 'expired';
  return refreshAfter <= now ? 'stale' : 'fresh';
}

function parse<T>(text: string | undefined): T | undefined {
  try {
    return JSON.parse(text ?? '') as T;
  } catch {
    return undefined;
  }
}
