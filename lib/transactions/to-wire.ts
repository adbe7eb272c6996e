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
 * These functions validate a DTO, also for unknown names, and convert it to a request body. They
 * throw BerbixInputError.
 */

/** A transaction for the front-end SDKs. */
export function creationToWire(transaction: CreateTransactionDto): CreateTransactionRequest {
  return common(checked(CreateTransactionDto, transaction));
}

/**
 * A hosted transaction. Without the options, even empty ones, it would not be hosted. [sdk: node]
 */
export function hostedCreationToWire(given: CreateHostedTransactionDto): CreateTransactionRequest {
  const transaction = checked(CreateHostedTransactionDto, given);
  const { completionEmail, redirectUrl } = transaction;
  const options: HostedOptions = compact({
    completion_email: completionEmail,
    redirect_url: redirectUrl,
  });
  return { ...common(transaction), hosted_options: options };
}

/** A transaction with uploads from the backend. */
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

/** A new action for a completed transaction. */
export function updateToWire(given: UpdateTransactionDto): UpdateTransactionRequest {
  const { action, note } = checked(UpdateTransactionDto, given);
  return compact({ action, note });
}

/** The result of a test transaction. */
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
  throw new BerbixInputError(`Invalid arguments: ${problems.join('; ')}. Nothing was sent.`);
}

/** Removes undefined and null values. */
function compact<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as T;
}
