import { IsDate, IsNotEmpty, IsString } from 'class-validator';
import { BerbixResponseError } from '../../errors/index.js';
import { BerbixTokens } from '../berbix-tokens.js';

/** The one token that a browser or app may have, as a controller's answer. */
export class ClientTokenDto {
  /** What the Berbix front end is started with. */
  @IsString()
  @IsNotEmpty()
  clientToken!: string;

  /** When it ends; the front end has no hook for that, so ask for another before. [sdk: react] */
  @IsDate()
  expiresAt!: Date;

  /**
   * @throws {BerbixResponseError} when the tokens have no client token: refresh them first
   * @throws {BerbixInputError} when they are a copy of tokens, or went through JSON
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
        'There is no client token to hand out: refresh the tokens first. If they were, the API gave none.',
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
        description: 'Starts the Berbix front end; good for an hour.',
      },
      expiresAt: { required: true, type: () => Date, description: 'When the client token ends.' },
    };
  }
}
