import { inspect } from 'node:util';
import { IsDate, IsNotEmpty, IsString } from 'class-validator';
import { BerbixResponseError, REDACTED } from '../../errors/index.js';
import { BerbixTokens } from '../../values/index.js';

/** The answer of a controller with the only token that a browser or app may have. */
export class ClientTokenDto {
  /** Starts the Berbix front end. */
  @IsString()
  @IsNotEmpty()
  clientToken!: string;

  /**
   * When it expires; the front end has no hook for that, so ask for another one in time.
   * [sdk: react]
   */
  @IsDate()
  expiresAt!: Date;

  /**
   * @throws {BerbixResponseError} if the tokens have no client token: refresh them first
   * @throws {BerbixInputError} for a copy of tokens, or tokens that were converted to JSON
   *
   * @example
   * ```ts
   * return this.tokens.refresh(row.refreshToken).pipe(map(ClientTokenDto.of));
   * ```
   */
  static of(this: void, tokens: BerbixTokens): ClientTokenDto {
    const { clientToken, expiresAt } = BerbixTokens.from(tokens);
    if (clientToken === undefined || expiresAt === undefined) {
      throw new BerbixResponseError(
        'There is no client token. Refresh the tokens first; if you did, the API returned none.',
      );
    }
    return Object.assign(new ClientTokenDto(), { clientToken, expiresAt });
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      clientToken: {
        required: true,
        type: () => String,
        description: 'Starts the Berbix front end.',
      },
      expiresAt: {
        required: true,
        type: () => Date,
        description:
          'When it expires; the front end has no hook for that, so ask for another one in time.',
      },
    };
  }

  [inspect.custom](): string {
    return `ClientTokenDto ${inspect({ ...this, clientToken: REDACTED })}`;
  }
}
