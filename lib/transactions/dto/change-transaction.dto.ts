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

  /** Why, for the dashboard. */
  @IsOptional()
  @IsString()
  note?: string | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      action: { required: true, type: () => String },
      note: { required: false, type: () => String },
    };
  }
}

/** The result that a test transaction is completed with. [doc: docs/testing] [sdk: all] */
export class OverrideTransactionDto {
  /** Which sample ID to answer with. */
  @IsIn(RESPONSE_PAYLOADS)
  responsePayload!: (typeof RESPONSE_PAYLOADS)[number];

  /** Flags of the result; none by default. */
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  flags?: string[] | undefined;

  /** Values instead of the sample's, by the API's name of the field, such as `given_name`. */
  @IsOptional()
  @IsRecordOfStrings()
  overrideFields?: Record<string, string> | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      responsePayload: { required: true, enum: [...RESPONSE_PAYLOADS] },
      flags: { required: false, type: () => [String] },
      overrideFields: { required: false, type: () => Object },
    };
  }
}
