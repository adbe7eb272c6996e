import type { SandboxMode } from '../auth/authorization.js';
import { invalidRequest } from '../http/api-exception.js';
import { type JsonObject, optionalString, parseWord, refuseUnknown } from '../http/request-body.js';
import { fieldsOf, flagsOf } from '../transactions/transaction-requests.js';
import type { TransactionKind, TransactionState } from '../transactions/transaction.js';

/** The transaction to create. */
export interface NewSandboxTransaction {
  /** @default 'sdk' */
  readonly kind?: TransactionKind | undefined;
  /** @default a new one */
  readonly customerUid?: string | undefined;
  /** @default 'test' */
  readonly mode?: SandboxMode | undefined;
}

/** Which transactions to list. */
export interface SandboxTransactionQuery {
  /** Only those of this customer. */
  readonly customerUid?: string | undefined;
  readonly state?: TransactionState | undefined;
  /** At most this many, up to 1000; 100 by default. */
  readonly limit?: number | undefined;
}

/** The result of a verification. */
export interface SandboxResult {
  /** Such as `reject`; by default, the flags determine it. */
  readonly action?: string | undefined;
  /** Such as `id_expired`; by default, one that leads to the action, if there is one. */
  readonly flags?: readonly string[] | undefined;
  /** Values of fields that differ from those of the sample document, a driver license. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

// Checks of what a test in plain JavaScript passes, or the control API receives. Messages name a
// member as the caller spells it.

const KINDS: readonly TransactionKind[] = ['sdk', 'hosted', 'apiOnly'];
const MODES: readonly SandboxMode[] = ['test', 'live'];
const STATES: readonly TransactionState[] = ['open', 'completed'];
const MAX_LIMIT = 1000;

/** @throws {ApiException} 400 */
export function checkNewTransaction(wanted: object, uid = 'customerUid'): NewSandboxTransaction {
  const members = wanted as JsonObject;
  const { kind, mode, [uid]: _, ...unknown } = members;
  refuseUnknown(unknown);
  return {
    kind: optionalWord(KINDS, 'kind', kind),
    customerUid: optionalString(members, uid),
    mode: optionalWord(MODES, 'mode', mode),
  };
}

/** @throws {ApiException} 400 */
export function checkResult(result: object, action = 'action'): SandboxResult {
  const members = result as JsonObject;
  const { [action]: _, flags, fields: __, ...unknown } = members;
  refuseUnknown(unknown);
  return {
    action: optionalString(members, action),
    flags: flags === undefined ? undefined : flagsOf(members),
    fields: fieldsOf(members, 'fields'),
  };
}

/** @throws {ApiException} 400 */
export function checkTransactionQuery(query: object): SandboxTransactionQuery {
  const members = query as JsonObject;
  const { customerUid: _, state, limit, ...unknown } = members;
  refuseUnknown(unknown);
  return {
    customerUid: optionalString(members, 'customerUid'),
    state: optionalWord(STATES, 'state', state),
    limit: limit === undefined ? undefined : checkLimit(limit),
  };
}

function optionalWord<Word extends string>(words: readonly Word[], name: string, value: unknown) {
  return value === undefined ? undefined : parseWord(words, name, value);
}

function checkLimit(value: unknown): number {
  const limit = Number.isInteger(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidRequest(`limit must be a whole number from 1 to ${MAX_LIMIT}.`);
}
