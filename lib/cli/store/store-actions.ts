import { TokenRemoval, isReference, refQuery, type TokenRecord } from '../../records/index.js';
import {
  CheckedStore,
  SealedRecords,
  type BerbixTokenStore,
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
  /** `show` and `forget`: the transaction or customer. */
  readonly transaction?: string | undefined;
  readonly customer?: string | undefined;
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
  await forEach(context, ({ kind, state, encryptionKey }) => {
    add('records', kind);
    add('states', state);
    add('encryptionKeys', encryptionKey);
  });
  if (context.json) return print(JSON.stringify(counts));
  return print(
    [
      ...section('Records', counts.records),
      ...section('States', counts.states),
      ...section('Sealed with the encryption key', counts.encryptionKeys),
    ].join('\n'),
  );
}

function section(title: string, counts: Record<string, number>): string[] {
  const rows = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return [title, ...rows.map(([name, count]) => `  ${name.padEnd(34)}${count}`)];
}

/** `store ls`: the name and state of each record; those of one state with `--state`. */
export async function listStore(context: StoreContext): Promise<number> {
  let listed = 0;
  await forEach(context, ({ name, state, encryptionKey }) => {
    if (context.state !== undefined && !state.startsWith(context.state)) return;
    listed++;
    // Names contain uids, which anybody may have chosen: a terminal runs control sequences.
    const line = context.json
      ? JSON.stringify({ name, state, encryptionKey })
      : `${printable(name)}  ${state}`;
    process.stdout.write(`${line}\n`);
  });
  return listed > 0 ? 0 : nothing('Nothing is stored there that matches.');
}

/** `store show`: one record, without its tokens. */
export async function showRecord(context: StoreContext): Promise<number> {
  const { name } = refOf(context);
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

/** `store forget`: as `forget()` of the service does it. */
export async function forgetRecord(context: StoreContext): Promise<number> {
  const { name } = refOf(context);
  const checked = new CheckedStore(context.store, ANSWER_MS);
  const sealed = new SealedRecords(checked, context.cipher, context.account);
  const { value } = await sealed.load(name);
  if (value === undefined) return nothing(`Nothing is stored for ${printable(name)}.`);
  await new TokenRemoval(sealed).forget(name);
  return print(
    `Removed ${printable(name)}, with everything that it refers to. Applications stop handing the tokens out within half a minute. Nothing was deleted at Berbix.`,
  );
}

/** @throws {BerbixInputError} for a malformed id or uid */
function refOf({ transaction, customer }: StoreContext): { name: string } {
  return refQuery(
    transaction === undefined ? { customerUid: customer } : { transactionId: transaction },
  );
}

async function forEach(
  { store, cipher, account }: StoreContext,
  work: (summary: RecordSummary) => void,
): Promise<void> {
  const progress = new Progress(process.stderr);
  let read = 0;
  try {
    for await (const summary of new StoredRecords(store, cipher, account).all()) {
      read++;
      progress.update(() => `${read} records read so far`);
      work(summary);
    }
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
    leasedForMs: record.leasedForMs > 0 ? record.leasedForMs : undefined,
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
