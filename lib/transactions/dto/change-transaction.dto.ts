import { IsArray, IsIn, IsNotEmpty, IsOptional, IsString, ValidateBy } from 'class-validator';
import { RESPONSE_PAYLOADS } from '../../wire/index.js';

const IsRecordOfStrings = (): PropertyDecorator =>
  ValidateBy({
    name: 'isRecordOfStrings',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every((item) => typeof item === 'string'),
      defaultMessage: () => '$property must be an object whose values are strings',
    },
  });

/** A new action for a completed transaction. [doc: reference/updatetransaction] */
export class UpdateTransactionDto {
  /** Usually `accept` or `reject`. */
  @IsString()
  @IsNotEmpty()
  action!: string;

  /** The reason, for the dashboard. */
  @IsOptional()
  @IsString()
  note?: string | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      action: {
        required: true,
        type: () => String,
        minLength: 1,
        description: 'Usually `accept` or `reject`.',
      },
      note: {
        required: false,
        type: () => String,
        description: 'The reason, for the dashboard.',
      },
    };
  }
}

/** The result with which to complete a test transaction. [doc: docs/testing] [sdk: all] */
export class OverrideTransactionDto {
  /** The sample ID of the result. */
  @IsIn(RESPONSE_PAYLOADS)
  responsePayload!: (typeof RESPONSE_PAYLOADS)[number];

  /** The flags of the result; none by default. */
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  flags?: string[] | undefined;

  /** Values that replace those of the sample, by the API's field name, such as `given_name`. */
  @IsOptional()
  @IsRecordOfStrings()
  overrideFields?: Record<string, string> | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      responsePayload: {
        required: true,
        enum: [...RESPONSE_PAYLOADS],
        description: 'The sample ID of the result.',
      },
      flags: {
        required: false,
        type: () => [String],
        description: 'The flags of the result; none by default.',
      },
      overrideFields: {
        required: false,
        type: 'object',
        additionalProperties: { type: 'string' },
        description:
          "Values that replace those of the sample, by the API's field name, such as `given_name`.",
      },
    };
  }
}
