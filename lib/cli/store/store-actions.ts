import { counted } from '../../errors/index.js';
import {
  TokenRemoval,
  isReference,
  recordName,
  refQuery,
  type TokenRecord,
} from '../../records/index.js';
import {
  CheckedStore,
  SealedRecords,
  type BerbixTokenStore,
  type OpenedRecord,
  type RecordCipher,
} from '../../token-store/index.js';
import { Progress } from '../progress.js';
import { ANSWER_MS } from './store-connection.js';
import { StoredRecords, type RecordSummary } from './stored-records.js';

/** What an action works on. */
export interface StoreContext {
  readonly store: BerbixTokenStore;
  readonly cipher: RecordCipher;
  readonly account: string;
  readonly json: boolean;
  /** `show` and `forget`: the transaction, customer or name of a record. */
  readonly transaction?: string | undefined;
  readonly customer?: string | undefined;
  readonly name?: string | undefined;
  /** `ls`: the state of the records to list. */
  readonly state?: string | undefined;
}

/** `store stats`: how many records there are, by kind, state and encryption key. */
export async function storeStats(context: StoreContext): Promise<number> {
  const counts: Record<'records' | 'states' | 'encryptionKeys', Record<string, number>> = {
    records: {},
    states: {},
    encryptionKeys: {},
  };
  const add = (group: keyof typeof counts, name: string): void => {
    counts[group][name] = (counts[group][name] ?? 0) + 1;
  };
  const read = await forEach(context, ({ kind, state, encryptionKey }) => {
    add('records', kind);
    add('states', state);
    add('encryptionKeys', encryptionKey);
  });
  if (read === 0) return nothing('Nothing is stored there.');
  if (context.json) return print(JSON.stringify(counts));
  const names = Object.values(counts).flatMap((group) => Object.keys(group));
  const width = Math.max(...names.map(({ length }) => length)) + 2;
  return print(
    [
      ...section('Records', counts.records, width),
      ...section('States', counts.states, width),
      ...section('Sealed with the encryption key', counts.encryptionKeys, width),
    ].join('\n'),
  );
}

function section(title: string, counts: Record<string, number>, width: number): string[] {
  const rows = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return [title, ...rows.map(([name, count]) => `  ${name.padEnd(width)}${count}`)];
}

/** `store ls`: name, state and owner of each record; those of one state with `--state`. */
export async function listStore(context: StoreContext): Promise<number> {
  let listed = 0;
  const read = await forEach(context, ({ name, state, encryptionKey, value }, progress) => {
    if (context.state !== undefined && !state.startsWith(context.state)) return;
    listed++;
    const { transactionId: transaction, customerUid: customer } = (value ?? {}) as TokenRecord;
    // Names contain uids, which anybody may have chosen: a terminal runs control sequences.
    const line = context.json
      ? JSON.stringify({ name, state, encryptionKey, transaction, customer })
      : [
          printable(name),
          state,
          ...(transaction === undefined || name === recordName.transaction(transaction)
            ? []
            : [`transaction ${printable(transaction)}`]),
          ...(customer === undefined ? [] : [`customer ${printable(customer)}`]),
        ].join('  ');
    // On a terminal, it would end up behind the progress.
    progress.end();
    process.stdout.write(`${line}\n`);
  });
  if (read === 0) return nothing('Nothing is stored there.');
  if (listed === 0) process.stderr.write(`No record is in the state ${context.state}.\n`);
  return 0;
}

/** `store show`: one record, without its tokens. */
export async function showRecord(context: StoreContext): Promise<number> {
  const name = nameOf(context);
  const records = new StoredRecords(context.store, context.cipher, context.account);
  const summaries: RecordSummary[] = [];
  for (let next: string | undefined = name; next !== undefined;) {
    const summary = await records.one(next);
    if (summary === undefined) break;
    summaries.push(summary);
    next = isReference(summary.value) ? summary.value.see : undefined;
  }
  if (summaries.length === 0) return nothing(`Nothing is stored for ${printable(name)}.`);
  const shown = summaries.map(describeRecord);
  if (context.json) return print(JSON.stringify(shown));
  return print(
    shown
      .map((fields) =>
        Object.entries(fields)
          .map(([field, value]) => `${labelOf(field).padEnd(18)}${printable(String(value))}`)
          .join('\n'),
      )
      .join('\n\n'),
  );
}

/** Removes nothing that it cannot read, since it would not find all that belongs to it. */
class ReadableRecords extends SealedRecords {
  override loadToRemove<T>(name: string): Promise<OpenedRecord<T>> {
    return this.load(name);
  }
}

/** `store forget`: as `forget()` of the service does it, but only with the keys of all its records. */
export async function forgetRecord(context: StoreContext): Promise<number> {
  const name = nameOf(context);
  const checked = new CheckedStore(context.store, ANSWER_MS);
  const sealed = new ReadableRecords(checked, context.cipher, context.account);
  const { value } = await sealed.load(name);
  if (value === undefined) return nothing(`Nothing is stored for ${printable(name)}.`);
  await new TokenRemoval(sealed).forget(name);
  return print(
    `Removed ${printable(name)}, with everything that it refers to. Applications stop handing the tokens out within half a minute. Nothing was deleted at Berbix.`,
  );
}

/** @throws {BerbixInputError} for a malformed id or uid */
function nameOf({ transaction, customer, name }: StoreContext): string {
  if (name !== undefined) return name;
  return refQuery(
    transaction === undefined ? { customerUid: customer } : { transactionId: transaction },
  ).name;
}

/** Resolves to the number of records. */
async function forEach(
  { store, cipher, account }: StoreContext,
  work: (summary: RecordSummary, progress: Progress) => void,
): Promise<number> {
  const progress = new Progress(process.stderr);
  let read = 0;
  try {
    for await (const summary of new StoredRecords(store, cipher, account).all()) {
      read++;
      progress.update(() => `${counted(read, 'record')} read so far`);
      work(summary, progress);
    }
    return read;
  } finally {
    progress.end();
  }
}

/** Everything except tokens: of spares only their number, of superseded tokens nothing. */
function describeRecord(summary: RecordSummary): Record<string, unknown> {
  const { name, state, encryptionKey, record, attempt, value } = summary;
  return definedOnly({
    name,
    state,
    version: record.version,
    leaseEpoch: record.leaseEpoch,
    // PostgreSQL has fractions of milliseconds.
    leasedForMs: record.leasedForMs > 0 ? Math.ceil(record.leasedForMs) : undefined,
    encryptionKey,
    failures: attempt.failures,
    nextAttempt: timeOf(attempt.notBefore),
    inDoubtSince: timeOf(attempt.startedAt),
    ...(value === undefined ? {} : isReference(value) ? { see: value.see } : fieldsOf(value)),
  });
}

function fieldsOf(value: TokenRecord): Record<string, unknown> {
  return {
    transaction: value.transactionId,
    customer: value.customerUid,
    template: value.templateKey,
    expires: timeOf(value.expiresAt),
    stale: timeOf(value.refreshAfter),
    exchanged: timeOf(value.exchangedAt),
    rotates: value.rotates,
    spares: value.spares?.length,
  };
}

/** `leasedForMs` as `leased for ms`. */
function labelOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function definedOnly(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
}

/** On the store's clock. */
function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function nothing(message: string): number {
  process.stderr.write(`${message} Check the database, --table or --prefix, and --account.\n`);
  return 1;
}
