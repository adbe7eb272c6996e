import { inspect } from 'node:util';
import { validateSync } from 'class-validator';
import { REDACTED } from '../../errors/index.js';
import {
  IsLifetime,
  IsOptionalId,
  IsOptionalRefreshToken,
  IsOptionalToken,
  IsToken,
  followsRules,
} from './token-fields.js';

/**
 * The answer of the API to an exchange or a creation, for a controller between your own services.
 * As JSON it contains the tokens; when it is printed, it does not. Send a {@link ClientTokenDto} to
 * a browser or app.
 */
export class BerbixTokensDto {
  /** For the requests of the backend. */
  @IsToken()
  accessToken!: string;

  /** Absent in answers to obsolete grants, so it is optional. [3p: mintyfusion TokenModel.cs] */
  @IsOptionalToken()
  clientToken?: string | undefined;

  /**
   * Documented as absent when tokens are refreshed; the stored one then stays valid.
   * [3p: mintyfusion TokenModel.cs]
   */
  @IsOptionalRefreshToken()
  refreshToken?: string | undefined;

  /** The digits of a 64-bit integer. */
  @IsOptionalId()
  transactionId?: string | undefined;

  /** Seconds from the start of the request. */
  @IsLifetime()
  expiresIn!: number;

  /** From the JSON of the API; unknown fields are ignored, null and "" count as absent. */
  static fromWire(body: Record<string, unknown>): BerbixTokensDto {
    const id = present(body['transaction_id']);
    return Object.assign(new BerbixTokensDto(), {
      accessToken: present(body['access_token']),
      clientToken: present(body['client_token']),
      refreshToken: present(body['refresh_token']),
      transactionId: typeof id === 'number' ? String(id) : id,
      expiresIn: body['expires_in'],
    });
  }

  /**
   * The problems, by the API's field names; empty if there are none. They never contain a value.
   */
  problems(): string[] {
    if (followsRules(this)) return [];
    return validateSync(this, { validationError: { target: false, value: false } }).flatMap(
      (error) =>
        Object.values(error.constraints ?? {}).map((message) =>
          message.replace(error.property, WIRE_NAMES[error.property] ?? error.property),
        ),
    );
  }

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      accessToken: {
        required: true,
        type: () => String,
        description: 'For the requests of the backend.',
      },
      clientToken: {
        required: false,
        type: () => String,
        description: 'Absent in answers to obsolete grants, so it is optional.',
      },
      refreshToken: {
        required: false,
        type: () => String,
        description:
          'Documented as absent when tokens are refreshed; the stored one then stays valid.',
      },
      transactionId: {
        required: false,
        type: () => String,
        pattern: '^\\d+$',
        description: 'The digits of a 64-bit integer.',
      },
      expiresIn: {
        required: true,
        type: 'integer',
        minimum: 1,
        description: 'Seconds from the start of the request.',
      },
    };
  }

  [inspect.custom](): string {
    return `BerbixTokensDto { transactionId: ${this.transactionId}, expiresIn: ${this.expiresIn}, tokens: ${REDACTED} }`;
  }
}

const WIRE_NAMES: Record<string, string> = {
  accessToken: 'access_token',
  clientToken: 'client_token',
  refreshToken: 'refresh_token',
  transactionId: 'transaction_id',
  expiresIn: 'expires_in',
};

function present(value: unknown): unknown {
  return value === null || value === '' ? undefined : value;
}
