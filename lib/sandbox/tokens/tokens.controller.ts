import { Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { API_PATHS, READABLE, REFRESH_GRANT } from '../../wire/index.js';
import type { ApiJson } from '../api-json.js';
import { ApiSecretGuard, Mode } from '../auth/api-secret.guard.js';
import type { SandboxMode } from '../auth/sandbox-mode.js';
import { ApiException } from '../errors/api.exception.js';
import { type JsonObject, optionalString, requiredString } from '../requests/fields.js';
import { JsonObjectBody } from '../requests/json-object-body.decorator.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';
import { RefreshTokenExchange } from './refresh-token.exchange.js';
import { TokenPresenter } from './token.presenter.js';
import { TokenWriter } from './token-writer.js';

/** `POST /v0/tokens`: a refresh token for fresh tokens. [sdk: all] */
@Controller(API_PATHS.tokens)
export class TokensController {
  constructor(
    @Inject(RefreshTokenExchange) private readonly refreshTokens: RefreshTokenExchange,
    @Inject(TokenPresenter) private readonly presenter: TokenPresenter,
    @Inject(TokenWriter) private readonly tokens: TokenWriter,
    @Inject(SANDBOX_SETTINGS) private readonly settings: SandboxSettings,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(ApiSecretGuard)
  async refresh(@Mode() mode: SandboxMode, @JsonObjectBody() body: JsonObject): Promise<ApiJson> {
    requireRefreshGrant(body);
    const sent = requiredString(body, 'refresh_token');
    const transaction = await this.refreshTokens.exchange(sent, mode);
    return {
      ...this.presenter.present(transaction),
      // Without rotation the current token is the one that was sent, so this is the echo too.
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
