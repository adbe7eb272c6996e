import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import { READABLE } from '../../wire/index.js';
import { ApiException, type Readable } from '../errors/api.exception.js';
import { SandboxClock } from '../sandbox-clock.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { Transaction } from '../transactions/transaction.js';
import { Transactions } from '../transactions/transactions.js';
import { challenge, type GuardedRequest, parseAuthorization, requestOf } from './authorization.js';

/** PHP's SDK sends `Token`, .NET's `bearer`, the others `Bearer`. [sdk: php] [3p: mintyfusion] */
const SCHEMES: ReadonlySet<string> = new Set(['bearer', 'token']);

const TRANSACTION = Symbol('transaction');

interface RequestWithTransaction extends GuardedRequest {
  [TRANSACTION]?: Transaction;
}

/** The transaction that the token stands for; needs one of the guards below. */
export const CurrentTransaction = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    requestOf<RequestWithTransaction>(context)[TRANSACTION],
);

/** Lets a request in that brings the right token: the token is the handle of the transaction. [sdk: all] */
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
   * The transaction of a token, however it came.
   *
   * @throws {ApiException} 401 for a token that is not valid, 403 for one of another kind, 410 for a
   * transaction that is not there any more
   */
  async transactionOf(credentials: string): Promise<Transaction> {
    const token = this.tokens.read(credentials);
    if (!token) throw this.#invalid('is not one of this sandbox. Exchange the refresh token.');
    if (token.kind === 'refresh' || token.kind !== this.kind) throw this.#wrongKind(token.kind);
    if (token.expiresAt <= this.clock.now()) {
      throw this.#invalid('has expired. Exchange the refresh token for a fresh one.');
    }
    return this.transactions.find(token.transactionId);
  }

  /** ASSUMPTION: the status; the words are ours. */
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

/** For what the backend asks. [doc: reference/gettransactionmetadata] */
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
