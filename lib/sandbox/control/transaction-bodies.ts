import type { ApiJson } from '../http/api-json.js';
import { invalidRequest } from '../http/api-exception.js';
import { type JsonObject, refuseUnknown } from '../http/request-body.js';
import type { RecordedExchange } from '../tokens/exchange-log.js';
import type {
  CreatedSandboxTransaction,
  SandboxTransaction,
  SandboxTransactionDetails,
  SandboxTransactions,
} from './sandbox-transactions.js';
import {
  checkResult,
  checkTransactionQuery,
  type SandboxTransactionQuery,
} from './transaction-checks.js';

/** The parsed query of a request; a parameter that is repeated is a list. */
export type RequestQuery = Readonly<Record<string, unknown>>;

/** The query of `GET /sandbox/transactions`; `secrets` is read elsewhere. */
export function parseTransactionQuery(query: RequestQuery): SandboxTransactionQuery {
  const { customer, state, limit, secrets: _, ...unknown } = query;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    throw invalidRequest('The query takes customer, state, limit and secrets, and nothing else.');
  }
  return checkTransactionQuery({
    customerUid: textOf('customer', customer),
    state: textOf('state', state),
    limit: numberOf(textOf('limit', limit)),
  });
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value || undefined;
  throw invalidRequest(`Send ${name} once.`);
}

/** NaN for digits in any other form. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

/** What `POST /sandbox/transactions/{id}/simulate` does. */
export type Simulation = (transactions: SandboxTransactions, id: string) => Promise<unknown>;

/** By the `action` of the body; `complete` has further members. */
const SIMULATIONS = new Map<unknown, Simulation>([
  ['expire_tokens', (transactions, id) => transactions.expireTokens(id)],
  ['rotate_refresh_token', (transactions, id) => transactions.rotateRefreshToken(id)],
  ['revoke_refresh_token', (transactions, id) => transactions.revokeRefreshToken(id)],
  ['purge', (transactions, id) => transactions.purge(id)],
]);

/** The body of `POST /sandbox/transactions/{id}/simulate`. */
export function parseSimulation({ action, ...members }: JsonObject): Simulation {
  if (action === 'complete') {
    const result = checkResult(members, 'result');
    return (transactions, id) => transactions.complete(id, result);
  }
  const simulation = SIMULATIONS.get(action);
  if (simulation === undefined) {
    const actions = ['complete', ...SIMULATIONS.keys()].join(', ');
    throw invalidRequest(`The action must be one of ${actions}.`);
  }
  refuseUnknown(members);
  return simulation;
}

/** A transaction in the style of the API. */
export function presentTransaction(transaction: SandboxTransaction) {
  const { id, mode, kind, state, action, flags, fields } = transaction;
  return {
    id,
    customer_uid: transaction.customerUid,
    mode,
    kind,
    template_key: transaction.templateKey,
    state,
    action: action ?? null,
    flags: flags ?? null,
    fields: fields ?? null,
    created_at: transaction.createdAt.toISOString(),
    completed_at: transaction.completedAt?.toISOString() ?? null,
    purges_at: transaction.purgesAt.toISOString(),
    refresh_token: transaction.refreshToken,
    generation: transaction.generation,
    refresh_token_state: transaction.refreshTokenState,
  };
}

/** The same with its page and its exchanges. */
export function presentDetails(transaction: SandboxTransactionDetails) {
  const { kind, pagePath, hostedUrl, tokensExpireAt, exchanges } = transaction;
  return {
    ...presentTransaction(transaction),
    page_path: pagePath ?? null,
    ...(kind === 'hosted' && { hosted_url: hostedUrl ?? null }),
    tokens_expire_at: tokensExpireAt?.toISOString() ?? null,
    exchanges: exchanges.map(presentExchange),
  };
}

/** The details of a new transaction with its first tokens. */
export function presentCreated(transaction: CreatedSandboxTransaction): ApiJson {
  const { accessToken, clientToken } = transaction;
  const details = presentDetails(transaction);
  return { ...details, access_token: accessToken, client_token: clientToken };
}

/** An exchange in the style of the API. */
export function presentExchange(exchange: RecordedExchange) {
  const { generation, status, durationMs, outcome, overlaps } = exchange;
  return {
    request_id: exchange.requestId,
    generation,
    user_agent: exchange.userAgent ?? null,
    started_at: exchange.startedAt.toISOString(),
    duration_ms: durationMs ?? null,
    outcome,
    status: status ?? null,
    sent_token: exchange.sentToken,
    tokens_expire_at: exchange.tokensExpireAt?.toISOString() ?? null,
    overlaps,
  };
}
