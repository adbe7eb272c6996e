import {
  IsBoolean,
  IsIn,
  IsISO31661Alpha2,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
} from 'class-validator';
import { ID_TYPES, type IdType } from '../../wire/index.js';
import { IsCustomerUid, IsEmail } from './validators.js';
import { IsMatchData, MATCH_DATA_SCHEMA, type MatchDataDto } from './match-data.dto.js';

/** The URL of a web page or app; not relative. */
const ABSOLUTE_URL = /^[a-z][a-z\d+.-]*:\/\/[^\s/]\S*$/i;

/** The options of a transaction for the front-end SDKs. [doc: reference/createtransaction] */
export class CreateTransactionDto {
  /**
   * Your own id of the user. The API finds duplicates by it, so use the same one for all attempts.
   */
  @IsCustomerUid()
  customerUid!: string;

  /** The key of a template from the dashboard, which must be for this kind of transaction. */
  @IsString()
  @IsNotEmpty()
  templateKey!: string;

  /** Prefills the hand-off to a phone. [3p: mintyfusion] */
  @IsOptional()
  @IsEmail()
  email?: string | undefined;

  /** Prefills the hand-off to a phone. [3p: mintyfusion] */
  @IsOptional()
  @IsString()
  phone?: string | undefined;

  /** Whether the user consents. Without it, uploaded selfies are not compared. [sdk: node] */
  @IsOptional()
  @IsBoolean()
  consentsToAutomatedFacialRecognition?: boolean | undefined;

  /** Data to compare the extracted data with. [sdk: php] */
  @IsOptional()
  @IsMatchData()
  matchData?: MatchDataDto | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      customerUid: {
        required: true,
        type: () => String,
        minLength: 1,
        maxLength: 256,
        description:
          'Your own id of the user. The API finds duplicates by it, so use the same one for all attempts.',
      },
      templateKey: {
        required: true,
        type: () => String,
        minLength: 1,
        description:
          'The key of a template from the dashboard, which must be for this kind of transaction.',
      },
      email: {
        required: false,
        type: () => String,
        format: 'email',
        description: 'Prefills the hand-off to a phone.',
      },
      phone: {
        required: false,
        type: () => String,
        description: 'Prefills the hand-off to a phone.',
      },
      consentsToAutomatedFacialRecognition: {
        required: false,
        type: () => Boolean,
        description: 'Whether the user consents. Without it, uploaded selfies are not compared.',
      },
      matchData: {
        required: false,
        ...MATCH_DATA_SCHEMA,
        description: 'Data to compare the extracted data with.',
      },
    };
  }
}

/** The options of a transaction on a page at Berbix. [doc: docs/create-hosted-transaction] */
export class CreateHostedTransactionDto extends CreateTransactionDto {
  /** Gets an email when the verification is complete. */
  @IsOptional()
  @IsEmail()
  completionEmail?: string | undefined;

  /**
   * Where the user goes then: an absolute URL, also of your app; the dashboard's setting by
   * default.
   */
  @IsOptional()
  @Matches(ABSOLUTE_URL, {
    message: '$property must be a URL with its scheme, such as https://bank.example/verified',
  })
  redirectUrl?: string | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static override _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      ...super._OPENAPI_METADATA_FACTORY(),
      completionEmail: {
        required: false,
        type: () => String,
        format: 'email',
        description: 'Gets an email when the verification is complete.',
      },
      redirectUrl: {
        required: false,
        type: () => String,
        format: 'uri',
        description:
          "Where the user goes then: an absolute URL, also of your app; the dashboard's setting by default.",
      },
    };
  }
}

/**
 * The options of a transaction with uploads from the backend.
 * [doc: docs/api-only-integration-guide]
 */
export class CreateApiOnlyTransactionDto extends CreateTransactionDto {
  /** The country of the ID: two letters of either case (ISO 3166-1 alpha-2). */
  @IsOptional()
  @IsISO31661Alpha2()
  idCountry?: string | undefined;

  /**
   * Passport `P`, driver license `DL`, permanent resident card `PRC`, passport card `PC`, other
   * card `ID`.
   */
  @IsOptional()
  @IsIn(ID_TYPES)
  idType?: IdType | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static override _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      ...super._OPENAPI_METADATA_FACTORY(),
      idCountry: {
        required: false,
        type: () => String,
        pattern: '^[A-Za-z]{2}$',
        description: 'The country of the ID: two letters of either case (ISO 3166-1 alpha-2).',
      },
      idType: {
        required: false,
        enum: [...ID_TYPES],
        description:
          'Passport `P`, driver license `DL`, permanent resident card `PRC`, passport card `PC`, other card `ID`.',
      },
    };
  }
}
