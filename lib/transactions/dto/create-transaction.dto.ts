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
import { IsEmail } from './is-email.js';
import { IsCustomerUid } from './is-customer-uid.js';
import { IsMatchData, type MatchDataDto } from './match-data.dto.js';

/** Of a web page or of an app, and never relative. */
const ABSOLUTE_URL = /^[a-z][a-z\d+.-]*:\/\/[^\s/]\S*$/i;

/** What a transaction for the front-end SDKs is created with. [doc: reference/createtransaction] */
export class CreateTransactionDto {
  /** Your own id of the user; the API finds duplicates by it, so keep it the same for each of a user's attempts. */
  @IsCustomerUid()
  customerUid!: string;

  /** Key of the template, from the dashboard; the template must be of the kind of the transaction. */
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

  /** You assert that the user consents; selfies that you upload are not compared without it. [sdk: node] */
  @IsOptional()
  @IsBoolean()
  consentsToAutomatedFacialRecognition?: boolean | undefined;

  /** What the extracted data is compared with. [sdk: php] */
  @IsOptional()
  @IsMatchData()
  matchData?: MatchDataDto | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      customerUid: { required: true, type: () => String },
      templateKey: { required: true, type: () => String },
      email: { required: false, type: () => String },
      phone: { required: false, type: () => String },
      consentsToAutomatedFacialRecognition: { required: false, type: () => Boolean },
      matchData: { required: false, type: () => Object },
    };
  }
}

/** What a transaction on a page of Berbix's is created with. [doc: docs/create-hosted-transaction] */
export class CreateHostedTransactionDto extends CreateTransactionDto {
  /** Is written to when the verification is complete. */
  @IsOptional()
  @IsEmail()
  completionEmail?: string | undefined;

  /** Where the user goes then, with its scheme, also one of an app of yours; the dashboard's setting by default. */
  @IsOptional()
  @Matches(ABSOLUTE_URL, {
    message: '$property must be a URL with its scheme, such as https://bank.example/verified',
  })
  redirectUrl?: string | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static override _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      ...super._OPENAPI_METADATA_FACTORY(),
      completionEmail: { required: false, type: () => String },
      redirectUrl: { required: false, type: () => String },
    };
  }
}

/** What a transaction with uploads from the backend is created with. [doc: docs/api-only-integration-guide] */
export class CreateApiOnlyTransactionDto extends CreateTransactionDto {
  /** Country of the ID, in two letters of either case (ISO 3166-1 alpha-2). */
  @IsOptional()
  @IsISO31661Alpha2()
  idCountry?: string | undefined;

  /** Passport `P`, driver licence `DL`, permanent resident card `PRC`, passport card `PC`, other card `ID`. */
  @IsOptional()
  @IsIn(ID_TYPES)
  idType?: IdType | undefined;

  /** Read by `@nestjs/swagger`, which cannot see into packages. @internal */
  static override _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      ...super._OPENAPI_METADATA_FACTORY(),
      idCountry: { required: false, type: () => String },
      idType: { required: false, enum: [...ID_TYPES] },
    };
  }
}
