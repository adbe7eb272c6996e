import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { type GuardedRequest, parseAuthorization, requestOf } from '../auth/authorization.js';
import { TokenReader } from '../auth/tokens.js';
import { SandboxClock } from '../clock.js';
import { ApiException, challenge, type Readable } from '../http/api-exception.js';
import type { Transaction } from './transaction.js';
import { Transactions } from './transactions.js';

/** PHP's SDK sends `Token`, .NET's `bearer`, the others `Bearer`. [sdk: php] [3p: mintyfusion] */
const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'token']);

const TRANSACTION = Symbol('transaction');

interface RequestWithTransaction extends GuardedRequest {
  [TRANSACTION]?: Transaction;
}

/** The transaction of the token in the request; needs one of the guards below. */
export const CurrentTransaction = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    requestOf<RequestWithTransaction>(context)[TRANSACTION],
);

/** Requires a token, which identifies the transaction. [sdk: all] */
abstract class TransactionTokenGuard implements CanActivate {
  protected abstract readonly kind: 'access' | 'client';
  protected abstract readonly readable: Readable;

  constructor(
    @Inject(TokenReader) private readonly tokens: TokenReader,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(SandboxClock) private readonly clock: SandboxClock,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf<RequestWithTransaction>(context);
    const authorization = parseAuthorization(request.headers.authorization);
    if (!authorization || !SCHEMES.has(authorization.scheme)) {
      throw this.#invalid(`is missing. Send it as Authorization: Bearer <${this.kind} token>.`);
    }
    request[TRANSACTION] = await this.transactionOf(authorization.credentials);
    return true;
  }

  /**
   * The transaction of a token.
   *
   * @throws {ApiException} 401 for a token that is not valid, 403 for one of another kind, 410 for a
   * transaction that does not exist any more
   */
  async transactionOf(credentials: string): Promise<Transaction> {
    const token = this.tokens.read(credentials);
    if (!token) throw this.#invalid('is not one of this sandbox. Exchange the refresh token.');
    if (token.kind === 'refresh' || token.kind !== this.kind) throw this.#wrongKind(token.kind);
    if (token.expiresAt <= this.clock.now()) throw this.#expired();
    const transaction = await this.transactions.find(token.transactionId);
    if (token.expirations < (transaction.expirations ?? 0)) throw this.#expired();
    return transaction;
  }

  #expired(): ApiException {
    return this.#invalid('has expired. Exchange the refresh token for a fresh one.');
  }

  /** ASSUMPTION: the status and the text. */
  #invalid(problem: string): ApiException {
    const message = `The ${this.kind} token ${problem}`;
    return new ApiException(401, this.readable, message, challenge('Bearer'));
  }

  /** ASSUMPTION: 403 for a token of the wrong kind. */
  #wrongKind(kind: string): ApiException {
    return new ApiException(
      403,
      READABLE.wrongTokenKind,
      `The ${kind} token does not go here. Send the ${this.kind} token of the transaction.`,
    );
  }
}

/** For calls of the backend. [doc: reference/gettransactionmetadata] */
@Injectable()
export class AccessTokenGuard extends TransactionTokenGuard {
  protected readonly kind = 'access';
  protected readonly readable = READABLE.invalidAccessToken;
}

/** For uploads, which a browser may send too. [doc: reference/uploadimages, idscans] */
@Injectable()
export class ClientTokenGuard extends TransactionTokenGuard {
  protected readonly kind = 'client';
  protected readonly readable = READABLE.invalidClientToken;
}
