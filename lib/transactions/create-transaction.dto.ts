import { IsEmail, IsNotEmpty, IsOptional, IsString } from 'class-validator';

/** What a transaction is created with. [doc: reference/createtransaction] */
export class CreateTransactionDto {
  /** Your own id of the user; the API finds duplicates by it, so keep it the same for each of a user's attempts. */
  @IsString()
  @IsNotEmpty()
  customerUid!: string;

  /** Key of the template, from the dashboard; the template must be of the kind of the transaction. */
  @IsString()
  @IsNotEmpty()
  templateKey!: string;

  /** Prefills the hand-off to a phone. [3p: mintyfusion] */
  @IsOptional()
  @IsEmail()
  email?: string;

  /** Prefills the hand-off to a phone. [3p: mintyfusion] */
  @IsOptional()
  @IsString()
  phone?: string;

  /** Read by @nestjs/swagger, which cannot see into packages. @internal */
  static _OPENAPI_METADATA_FACTORY(): Record<string, object> {
    return {
      customerUid: { required: true, type: () => String },
      templateKey: { required: true, type: () => String },
      email: { required: false, type: () => String },
      phone: { required: false, type: () => String },
    };
  }
}
