import { BerbixResponseError } from '../errors/index.js';
import type { BerbixAnswer, BerbixRequest } from '../http/index.js';
import { BerbixTokens } from './berbix-tokens.js';
import { BerbixTokensDto } from './dto/berbix-tokens.dto.js';
import { isTransactionId } from './ids.js';
import { isRefreshToken } from './refresh-token.js';

/** The call that was answered, for the message. */
type Call = Pick<BerbixRequest, 'method' | 'path'>;

/** An answer with tokens that passed the check. */
export interface TokenAnswerChecked {
  dto: BerbixTokensDto;
  startedAt: number;
}

/** @throws {BerbixResponseError} that names the field */
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
 * @throws {BerbixResponseError} when the answer is for another transaction, or has no refresh
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
    throw foreign(call);
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
 * The failure of an exchange, without the tokens that it carries where they are those of another
 * transaction.
 */
export function withoutForeignTokens(call: Call, before: BerbixTokens, error: unknown): unknown {
  if (!(error instanceof BerbixResponseError)) return error;
  const { transactionId = before.transactionId } = error.tokens ?? {};
  const isForeign = before.transactionId !== undefined && transactionId !== before.transactionId;
  return isForeign ? foreign(call, error.requestId) : error;
}

/** Its refresh token is not offered for storing: it may be somebody else's. */
function foreign(call: Call, requestId?: string): BerbixResponseError {
  const problem = 'transaction_id is that of another transaction';
  return unexpected(call, problem, undefined, requestId);
}

function unexpected(
  { method, path }: Call,
  problem: string,
  dto?: BerbixTokensDto,
  requestId?: string,
): BerbixResponseError {
  const saved = dto && savedTokens(dto);
  return new BerbixResponseError(
    `The answer to ${method} ${path} is not what the API promises: ${problem}.` +
      (saved === undefined ? '' : ' It has a refresh token; store it: error.tokens.refreshToken.'),
    { method, path, status: 200, requestId },
  ).withTokens(saved);
}

/**
 * The API may have replaced the stored refresh token by the one in an answer that is not usable
 * otherwise. An id that is not one is left out: the token counts without it.
 */
function savedTokens({ refreshToken, transactionId }: BerbixTokensDto): BerbixTokens | undefined {
  if (!isRefreshToken(refreshToken)) return undefined;
  return new BerbixTokens({
    refreshToken,
    transactionId: isTransactionId(transactionId) ? transactionId : undefined,
  });
}
