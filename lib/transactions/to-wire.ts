import { validateSync } from 'class-validator';
import { BerbixInputError, readInput } from '../errors/index.js';
import type {
  ApiOnlyOptions,
  CreateTransactionRequest,
  HostedOptions,
  OverrideTransactionRequest,
  UpdateTransactionRequest,
} from '../wire/index.js';
import { OverrideTransactionDto, UpdateTransactionDto } from './dto/change-transaction.dto.js';
import {
  CreateApiOnlyTransactionDto,
  CreateHostedTransactionDto,
  CreateTransactionDto,
} from './dto/create-transaction.dto.js';
import { matchDataToWire } from './dto/match-data.dto.js';

/*
 * Each checks what it is given, names that do not exist included, and puts it into the API's words.
 * They throw BerbixInputError.
 */

/** For a transaction of the front-end SDKs. */
export function creationToWire(transaction: CreateTransactionDto): CreateTransactionRequest {
  return common(checked(CreateTransactionDto, transaction));
}

/** For a hosted one: the options go along even if empty, or Berbix makes no hosted transaction. [sdk: node] */
export function hostedCreationToWire(given: CreateHostedTransactionDto): CreateTransactionRequest {
  const transaction = checked(CreateHostedTransactionDto, given);
  const { completionEmail, redirectUrl } = transaction;
  const options: HostedOptions = compact({
    completion_email: completionEmail,
    redirect_url: redirectUrl,
  });
  return { ...common(transaction), hosted_options: options };
}

/** For one with uploads from the backend. */
export function apiOnlyCreationToWire(
  given: CreateApiOnlyTransactionDto,
): CreateTransactionRequest {
  const transaction = checked(CreateApiOnlyTransactionDto, given);
  const { idCountry, idType } = transaction;
  const options: ApiOnlyOptions = compact({
    id_country: idCountry?.toUpperCase(),
    id_type: idType,
  });
  return { ...common(transaction), api_only_options: options };
}

/** For a new action of a completed transaction. */
export function updateToWire(given: UpdateTransactionDto): UpdateTransactionRequest {
  const { action, note } = checked(UpdateTransactionDto, given);
  return compact({ action, note });
}

/** For the result of a test transaction. */
export function overrideToWire(given: OverrideTransactionDto): OverrideTransactionRequest {
  const { responsePayload, flags, overrideFields } = checked(OverrideTransactionDto, given);
  return compact({
    response_payload: responsePayload,
    flags,
    override_fields: overrideFields,
  });
}

const RULES = {
  whitelist: true,
  forbidNonWhitelisted: true,
  validationError: { target: false, value: false },
};

function common(transaction: CreateTransactionDto): CreateTransactionRequest {
  const { customerUid, templateKey, email, phone, matchData } = transaction;
  return compact({
    customer_uid: customerUid,
    template_key: templateKey,
    email,
    phone,
    consents_to_automated_facial_recognition: transaction.consentsToAutomatedFacialRecognition,
    match_data: matchData && compact(matchDataToWire(matchData)),
  });
}

function checked<T extends object>(DtoClass: new () => T, given: T): T {
  const [dto, errors] = readInput('The call takes an object.', () => {
    const made = Object.assign(new DtoClass(), given);
    return [made, validateSync(made, RULES)];
  });
  if (errors.length === 0) return dto;
  const problems = errors.flatMap((error) => Object.values(error.constraints ?? {}));
  throw new BerbixInputError(`The call cannot be made: ${problems.join('; ')}. Nothing was sent.`);
}

/** Without what is not there. */
function compact<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as T;
}
