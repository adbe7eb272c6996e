import { BerbixResponseError, type BerbixErrorDetails } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from '../http/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import { BerbixTokensDto } from './dto/berbix-tokens.dto.js';

/**
 * An answer with tokens is not what the API promises. Should it hold a usable refresh token all the
 * same, it is in `tokens`: the API may have replaced the stored one by it, so store it.
 */
export class BerbixTokenResponseError extends BerbixResponseError {
  readonly #tokens: BerbixTokens | undefined;

  constructor(message: string, details: BerbixErrorDetails, tokens: BerbixTokens | undefined) {
    super(message, details);
    this.#tokens = tokens;
  }

  /** What can be saved: the refresh token of the answer, if it had one. */
  get tokens(): BerbixTokens | undefined {
    return this.#tokens;
  }
}

/** The call that was answered, for the message. */
type Call = Pick<BerbixRequest, 'method' | 'path'>;

/** An answer with tokens that passed the check. */
export interface TokenAnswerChecked {
  dto: BerbixTokensDto;
  startedAt: number;
}

/** @throws {BerbixTokenResponseError} that names the field */
export function checkTokenAnswer(call: Call, answer: BerbixAnswer): TokenAnswerChecked {
  const dto = BerbixTokensDto.fromWire(answer.body ?? {});
  const problems = dto.problems();
  if (problems.length === 0) return { dto, startedAt: answer.startedAt };
  throw unexpected(call, problems.join('; '), dto, answer.requestId);
}

/**
 * The tokens after an exchange: the refresh token stays unless a new one came, whatever the API's
 * habit is; expiry counts from the start of the request.
 *
 * @param before undefined when the transaction was just created
 * @throws {BerbixTokenResponseError} when the answer is for another transaction, or has no refresh
 * token and there was none before
 */
export function mergeTokens(
  call: Call,
  before: BerbixTokens | undefined,
  { dto, startedAt }: TokenAnswerChecked,
): BerbixTokens {
  const refreshToken = dto.refreshToken ?? before?.refreshToken;
  if (refreshToken === undefined) throw unexpected(call, 'refresh_token is missing', dto);
  if (
    before?.transactionId !== undefined &&
    (dto.transactionId ?? before.transactionId) !== before.transactionId
  ) {
    throw unexpected(call, 'transaction_id is that of another transaction', dto);
  }
  return new BerbixTokens({
    refreshToken,
    accessToken: dto.accessToken,
    clientToken: dto.clientToken,
    expiresAt: new Date(startedAt + dto.expiresIn * 1000),
    transactionId: dto.transactionId ?? before?.transactionId,
  });
}

function unexpected(
  { method, path }: Call,
  problem: string,
  dto: BerbixTokensDto,
  requestId?: string,
): BerbixTokenResponseError {
  const saved = savedTokens(dto);
  return new BerbixTokenResponseError(
    `The answer to ${method} ${path} is not what the API promises: ${problem}.` +
      (saved === undefined ? '' : ' It has a refresh token; store it: error.tokens.refreshToken.'),
    { method, path, status: 200, requestId },
    saved,
  );
}

function savedTokens({ refreshToken, transactionId }: BerbixTokensDto): BerbixTokens | undefined {
  try {
    const id = typeof transactionId === 'string' ? transactionId : undefined;
    return refreshToken === undefined
      ? undefined
      : new BerbixTokens({ refreshToken, transactionId: id });
  } catch {
    return undefined;
  }
}
