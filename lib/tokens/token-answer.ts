import { BerbixResponseError } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from '../http/index.js';
import { BerbixTokens, isTransactionId, isRefreshToken } from '../values/index.js';
import { BerbixTokensDto } from './dto/berbix-tokens.dto.js';

/** The call, for error messages. */
type Call = Pick<BerbixRequest, 'method' | 'path'>;

/** What errors say of the answer, besides the call. */
type Answered = Pick<BerbixAnswer, 'requestId'> & { status?: number | undefined };

/** A validated answer with tokens. */
export interface CheckedTokenAnswer extends Omit<BerbixAnswer, 'body'> {
  dto: BerbixTokensDto;
}

/** @throws {BerbixResponseError} that names the field */
export function checkTokenAnswer(call: Call, answer: BerbixAnswer): CheckedTokenAnswer {
  const dto = BerbixTokensDto.fromWire(answer.body ?? {});
  const problems = dto.problems();
  if (problems.length > 0) throw unexpected(call, problems.join('; '), answer, dto);
  const { status, startedAt, requestId } = answer;
  return { status, startedAt, requestId, dto };
}

/**
 * The tokens after an exchange. A new refresh token replaces the old one, and an answer without one
 * leaves it, whatever the configured rotation (I6). The lifetime counts from the start of the
 * request (I1).
 *
 * @param before undefined if the transaction was just created
 * @throws {BerbixResponseError} if the answer is for another transaction, or if neither the answer
 * nor `before` has a refresh token
 */
export function mergeTokens(
  call: Call,
  before: BerbixTokens | undefined,
  answer: CheckedTokenAnswer,
): BerbixTokens {
  const { dto, startedAt } = answer;
  const refreshToken = dto.refreshToken ?? before?.refreshToken;
  if (refreshToken === undefined) throw unexpected(call, 'refresh_token is missing', answer);
  if (
    before?.transactionId !== undefined &&
    (dto.transactionId ?? before.transactionId) !== before.transactionId
  ) {
    throw foreign(call, answer);
  }
  return new BerbixTokens({
    refreshToken,
    accessToken: dto.accessToken,
    clientToken: dto.clientToken,
    expiresAt: new Date(startedAt + dto.expiresIn * 1000),
    lifetimeMs: dto.expiresIn * 1000,
    transactionId: dto.transactionId ?? before?.transactionId,
  });
}

/**
 * The error of an exchange, without its tokens if they belong to another transaction.
 */
export function withoutForeignTokens(call: Call, before: BerbixTokens, error: unknown): unknown {
  if (!(error instanceof BerbixResponseError)) return error;
  const { transactionId = before.transactionId } = error.tokens ?? {};
  const isForeign = before.transactionId !== undefined && transactionId !== before.transactionId;
  return isForeign ? foreign(call, error) : error;
}

/**
 * Without the refresh token of the answer: it may be somebody else's, so nobody should store it.
 */
function foreign(call: Call, answered: Answered): BerbixResponseError {
  return unexpected(call, 'transaction_id is that of another transaction', answered);
}

function unexpected(
  { method, path }: Call,
  problem: string,
  { status, requestId }: Answered,
  dto?: BerbixTokensDto,
): BerbixResponseError {
  const saved = dto && recoverableTokens(dto);
  return new BerbixResponseError(
    `The answer to ${method} ${path} breaks the contract of the API: ${problem}.` +
      (saved === undefined ? '' : ' It has a refresh token; store it: error.tokens.refreshToken.'),
    { method, path, status, requestId },
  ).withTokens(saved);
}

/**
 * The refresh token of an answer that is otherwise unusable: the API may have replaced the stored
 * one by it. An invalid transaction id is left out, since the token works without it.
 */
function recoverableTokens({
  refreshToken,
  transactionId,
}: BerbixTokensDto): BerbixTokens | undefined {
  if (!isRefreshToken(refreshToken)) return undefined;
  return new BerbixTokens({
    refreshToken,
    transactionId: isTransactionId(transactionId) ? transactionId : undefined,
  });
}
