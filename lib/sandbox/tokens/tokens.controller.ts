import { Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { API_PATHS, READABLE, REFRESH_GRANT } from '../../wire/index.js';
import { ApiSecretGuard, Mode, type SandboxMode } from '../auth/authorization.js';
import { TokenWriter } from '../auth/tokens.js';
import type { ApiJson } from '../http/api-json.js';
import { ApiException } from '../http/api-exception.js';
import {
  type JsonObject,
  JsonObjectBody,
  optionalString,
  requiredString,
} from '../http/request-body.js';
import { Recorded, type RecordedRequest } from '../http/request-log.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';
import { ExchangeLog } from './exchange-log.js';
import { RefreshTokenExchange } from './exchange.js';

/** `POST /v0/tokens`: exchanges a refresh token for new tokens. [sdk: all] */
@Controller(API_PATHS.tokens)
export class TokensController {
  constructor(
    @Inject(RefreshTokenExchange) private readonly refreshTokens: RefreshTokenExchange,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(ExchangeLog) private readonly exchanges: ExchangeLog,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(ApiSecretGuard)
  async refresh(
    @Mode() mode: SandboxMode,
    @JsonObjectBody() body: JsonObject,
    @Recorded() request: RecordedRequest,
  ): Promise<ApiJson> {
    requireRefreshGrant(body);
    const sent = requiredString(body, 'refresh_token');
    const transaction = await this.refreshTokens.exchange(sent, mode, request);
    const issued = this.tokens.issue(transaction);
    this.exchanges.issued(request, this.tokens.expiryOf(transaction));
    return {
      ...issued,
      // Without rotation, the current token is the one that was sent: an echo.
      ...(this.settings.refreshToken !== 'omit' && {
        refresh_token: this.tokens.refreshToken(transaction),
      }),
    };
  }
}

/** Elixir and .NET clients send no grant type. [3p: idx 40484903629] [3p: mintyfusion TokenService.cs] */
function requireRefreshGrant(body: JsonObject): void {
  const grantType = optionalString(body, 'grant_type') ?? REFRESH_GRANT;
  if (grantType === REFRESH_GRANT) return;
  // ASSUMPTION: 400.
  throw new ApiException(
    400,
    READABLE.unsupportedGrantType,
    `grant_type must be ${REFRESH_GRANT}, or left out.`,
  );
}
