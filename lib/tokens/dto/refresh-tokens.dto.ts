import { inspect } from 'node:util';
import { REDACTED } from '../../errors/index.js';
import { IsRefreshToken } from './token-fields.js';

/**
 * A request body with a refresh token, for a controller between your own services. Never send one
 * to a browser or app.
 */
export class RefreshTokensDto {
  /** The long-lived refresh token of a transaction. */
  @IsRefreshToken()
  refreshToken!: string;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      refreshToken: {
        required: true,
        type: () => String,
        description: 'The long-lived refresh token of a transaction.',
      },
    };
  }

  [inspect.custom](): string {
    return `RefreshTokensDto { refreshToken: ${REDACTED} }`;
  }
}
