import { Inject, Injectable } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { Observable, defer } from 'rxjs';
import { BerbixInputError } from '../errors/index.js';
import { BerbixHttp } from '../http/index.js';
import { checkTokenAnswer, mergeTokens, type BerbixTokens } from '../tokens/index.js';
import { API_PATHS, type CreateTransactionRequest } from '../wire/index.js';
import { CreateTransactionDto } from './create-transaction.dto.js';

const CREATION = { method: 'POST', path: API_PATHS.transactions } as const;

/** Creates transactions. */
@Injectable()
export class BerbixTransactionService {
  readonly #http: BerbixHttp;

  constructor(@Inject(BerbixHttp) http: BerbixHttp) {
    this.#http = http;
  }

  /**
   * Creates a transaction for the front-end SDKs when subscribed to; emits its tokens once and
   * completes. Store the refresh token before you hand out the client token.
   *
   * The API makes a new transaction each time, even for the same customer [doc: docs/transactions],
   * so a creation whose answer was lost is not repeated.
   *
   * @throws on the Observable: {BerbixInputError} for what cannot be sent, and the errors of
   * `BerbixTokenService.refresh` but the one about the refresh token
   *
   * @example
   * ```ts
   * const tokens = await firstValueFrom(
   *   this.transactions.create({ customerUid: user.id, templateKey: this.templateKey }),
   * );
   * ```
   */
  create(transaction: CreateTransactionDto): Observable<BerbixTokens> {
    return defer(() =>
      this.#http.send({ ...CREATION, body: toWire(transaction), repeat: 'unless-done' }, (answer) =>
        mergeTokens(CREATION, undefined, checkTokenAnswer(CREATION, answer)),
      ),
    );
  }
}

function toWire(transaction: CreateTransactionDto): CreateTransactionRequest {
  const dto = Object.assign(new CreateTransactionDto(), transaction);
  const errors = validateSync(dto, {
    whitelist: true,
    forbidNonWhitelisted: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) {
    const problems = errors.flatMap((error) => Object.values(error.constraints ?? {}));
    throw new BerbixInputError(`The transaction cannot be created: ${problems.join('; ')}.`);
  }
  const { customerUid, templateKey, email, phone } = dto;
  return {
    customer_uid: customerUid,
    template_key: templateKey,
    ...(email && { email }),
    ...(phone && { phone }),
  };
}
