import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException, transactionGone } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { Transaction } from '../transactions/transaction.js';
import { TransactionStore } from '../transactions/transaction.store.js';
import { type GuardedRequest, parseAuthorization, requestOf } from './authorization.js';

/** PHP's SDK sends `Token`, .NET's `bearer`, the others `Bearer`. [sdk: php] [3p: mintyfusion] */
const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'token']);

const TRANSACTION = Symbol('transaction');

interface RequestWithTransaction extends GuardedRequest {
  [TRANSACTION]?: Transaction;
}

/** The transaction that the access token stands for; needs {@link AccessTokenGuard}. */
export const CurrentTransaction = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    requestOf<RequestWithTransaction>(context)[TRANSACTION],
);

/** Lets a request in that brings an access token: the token is the handle of the transaction. [sdk: all] */
@Injectable()
export class AccessTokenGuard implements CanActivate {
  constructor(
    @Inject(TokenReader) private readonly tokens: TokenReader,
    @Inject(TransactionStore) private readonly transactions: TransactionStore,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = requestOf<RequestWithTransaction>(context);
    request[TRANSACTION] = this.#transactionOf(request.headers.authorization);
    return true;
  }

  #transactionOf(header: string | undefined): Transaction {
    const authorization = parseAuthorization(header);
    if (!authorization || !SCHEMES.has(authorization.scheme)) {
      throw invalidAccessToken('is missing. Send it as Authorization: Bearer <access token>.');
    }
    const token = this.tokens.read(authorization.credentials);
    if (!token) throw invalidAccessToken('is not one of this sandbox. Exchange the refresh token.');
    if (token.kind !== 'access') throw wrongTokenKind(token.kind);
    if (token.expiresAt <= this.clock.now()) {
      throw invalidAccessToken('has expired. Exchange the refresh token for a fresh one.');
    }
    const transaction = this.transactions.find(token.transactionId);
    if (!transaction) throw transactionGone();
    return transaction;
  }
}

/** ASSUMPTION: the status; the words are ours. */
function invalidAccessToken(problem: string): ApiException {
  return new ApiException(401, READABLE.invalidAccessToken, `The access token ${problem}`);
}

/** ASSUMPTION: 403 for a token of the wrong kind. */
function wrongTokenKind(kind: string): ApiException {
  return new ApiException(
    403,
    READABLE.wrongTokenKind,
    `This is a ${kind} token. Send the access token of the transaction.`,
  );
}
