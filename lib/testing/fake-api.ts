import { randomInt, randomUUID } from 'node:crypto';
import {
  BerbixConflictError,
  BerbixGoneError,
  BerbixInvalidAccessTokenError,
  BerbixInvalidRefreshTokenError,
} from '../errors/index.js';
import type { BerbixRequest } from '../http/index.js';
import {
  API_PATHS,
  DEFAULT_ACTION_MAP,
  METADATA_ENTITY,
  type CreateTransactionRequest,
  type OverrideTransactionRequest,
  type TokenRequest,
  type UpdateTransactionRequest,
} from '../wire/index.js';

interface FakeTransaction {
  id: number;
  customerUid: string;
  refreshToken: string;
  /** When access and client tokens expire, in milliseconds since 1970. */
  tokens: Map<string, number>;
  createdAt: string;
  completedAt?: string;
  action: string;
  flags: string[];
  fields: Record<string, { value: string }>;
  isGone: boolean;
}

type Answer = Record<string, unknown> | undefined;

/** The lifetime of access and client tokens. [doc: docs/platform-overview] */
const LIFETIME_SECONDS = 3_600;

/**
 * The API in memory, without validation of requests, for unit tests. If the details of answers
 * matter, test with `BerbixSandbox` of `nestjs-berbix/sandbox`.
 */
export class FakeApi {
  readonly #transactions: FakeTransaction[] = [];

  /** The body of a 2xx answer. @throws {BerbixError} for any other answer */
  answer({ method, path, body, bearer = '' }: BerbixRequest): Answer {
    switch (`${method} ${path}`) {
      case `POST ${API_PATHS.tokens}`:
        return this.#exchange(body as TokenRequest);
      case `POST ${API_PATHS.transactions}`:
        return this.#create(body as CreateTransactionRequest);
      case `GET ${API_PATHS.transactions}`:
        return metadata(this.#find(bearer));
      case `PATCH ${API_PATHS.transactions}`:
        return this.#update(bearer, body as UpdateTransactionRequest);
      case `PATCH ${API_PATHS.override}`:
        return this.#override(bearer, body as OverrideTransactionRequest);
      case `DELETE ${API_PATHS.transactions}`:
        this.#find(bearer).isGone = true;
        return undefined;
      default:
        this.#find(bearer);
        return { next_step: 'done' };
    }
  }

  /** Completes the customer's latest transaction. @throws {Error} if there is none */
  finish(customerUid: string, action: string, flags: string[]): void {
    const transaction = this.#transactions.findLast((one) => one.customerUid === customerUid);
    if (transaction === undefined) throw new Error(`There is no transaction of ${customerUid}.`);
    complete(transaction, action, flags);
  }

  #create(body: CreateTransactionRequest): Answer {
    const transaction: FakeTransaction = {
      id: randomInt(10 ** 14, 2 * 10 ** 14),
      customerUid: body.customer_uid,
      refreshToken: `rt_fake_${randomUUID()}`,
      tokens: new Map(),
      createdAt: new Date().toISOString(),
      action: '',
      flags: [],
      fields: {},
      isGone: false,
    };
    this.#transactions.push(transaction);
    return {
      ...newTokens(transaction),
      refresh_token: transaction.refreshToken,
      ...(body.hosted_options && { hosted_url: `https://fake.berbix.test/${transaction.id}` }),
      ...(body.api_only_options && { first_step: 'upload_document_front' }),
    };
  }

  #exchange({ refresh_token: refreshToken }: TokenRequest): Answer {
    const transaction = this.#transactions.find((one) => one.refreshToken === refreshToken);
    if (transaction === undefined) {
      throw new BerbixInvalidRefreshTokenError(
        'The fake Berbix does not know this refresh token.',
        {
          status: 401,
        },
      );
    }
    return newTokens(present(transaction));
  }

  #update(bearer: string, { action }: UpdateTransactionRequest): Answer {
    const transaction = this.#find(bearer);
    if (transaction.action === '') throw conflict('is not completed');
    transaction.action = action;
    return metadata(transaction);
  }

  #override(bearer: string, body: OverrideTransactionRequest): Answer {
    const transaction = this.#find(bearer);
    if (transaction.action !== '') throw conflict('is already completed');
    const fields = Object.entries(body.override_fields ?? {});
    transaction.fields = Object.fromEntries(fields.map(([name, value]) => [name, { value }]));
    const { flags = [] } = body;
    complete(transaction, actionFor(flags), flags);
    return undefined;
  }

  #find(bearer: string): FakeTransaction {
    const transaction = this.#transactions.find(({ tokens }) => tokens.has(bearer));
    if (transaction !== undefined && Number(transaction.tokens.get(bearer)) > Date.now()) {
      return present(transaction);
    }
    throw new BerbixInvalidAccessTokenError('The fake Berbix does not accept this token.', {
      status: 401,
    });
  }
}

function newTokens({ id, tokens }: FakeTransaction): Record<string, unknown> {
  const pair = { access_token: `at_fake_${randomUUID()}`, client_token: `ct_fake_${randomUUID()}` };
  const end = Date.now() + LIFETIME_SECONDS * 1_000;
  for (const token of Object.values(pair)) tokens.set(token, end);
  return { ...pair, transaction_id: String(id), expires_in: LIFETIME_SECONDS };
}

/** As in the sandbox. */
function actionFor(flags: string[]): string {
  if (flags.length === 0) return 'accept';
  const flag = Object.keys(DEFAULT_ACTION_MAP).find((each) => flags.includes(each)) ?? '';
  return DEFAULT_ACTION_MAP[flag] ?? 'review';
}

function complete(transaction: FakeTransaction, action: string, flags: string[]): void {
  Object.assign(transaction, { action, flags, completedAt: new Date().toISOString() });
}

function metadata(transaction: FakeTransaction): Answer {
  const { id, customerUid, action, flags, fields, createdAt, completedAt } = transaction;
  return {
    entity: METADATA_ENTITY,
    id: String(id),
    customer_uid: customerUid,
    action,
    flags,
    fields,
    created_at: createdAt,
    completed_at: completedAt,
  };
}

function present(transaction: FakeTransaction): FakeTransaction {
  if (!transaction.isGone) return transaction;
  throw new BerbixGoneError('The fake Berbix has deleted this transaction.', { status: 410 });
}

function conflict(problem: string): BerbixConflictError {
  return new BerbixConflictError(`This transaction ${problem}.`, { status: 409 });
}
