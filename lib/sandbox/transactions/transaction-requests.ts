import { ID_TYPES, type IdType, type MatchData, RESPONSE_PAYLOADS } from '../../wire/index.js';
import { invalidRequest } from '../http/api-exception.js';
import {
  type JsonObject,
  optionalBoolean,
  optionalObject,
  optionalString,
  requiredString,
} from '../http/request-body.js';
import { isFlag } from '../option-checks.js';
import type { Fields } from './sample-fields.js';

/** [sdk: php 2.1.0] */
const MATCH_DATA: readonly (keyof MatchData)[] = [
  'given_name',
  'middle_name',
  'family_name',
  'date_of_birth',
  'id_expiry_date',
];

/** The parts of `POST /v0/transactions` that the sandbox uses. */
export interface CreateTransaction {
  customerUid: string;
  templateKey: string;
  /** Which object of options the request has. */
  options: 'hosted' | 'apiOnly' | 'none';
  email?: string;
  phone?: string;
  facialRecognition: boolean;
  matchData?: MatchData;
  idType?: IdType;
  /** Hosted transactions only. */
  redirectUrl?: string;
}

/** Accepts what any of the SDKs sends, and refuses everything else. [sdk: all] */
export function parseCreateTransaction(body: JsonObject): CreateTransaction {
  return {
    customerUid: customerUidOf(body),
    templateKey: requiredString(body, 'template_key'),
    ...optionsOf(body),
    email: optionalString(body, 'email'),
    phone: optionalString(body, 'phone'),
    facialRecognition: optionalBoolean(body, 'consents_to_automated_facial_recognition'),
    matchData: matchDataOf(body),
  };
}

/** Python's call for hosted transactions sends numbers; the others send strings. [sdk: python] */
function customerUidOf(body: JsonObject): string {
  const { customer_uid: uid } = body;
  if (typeof uid !== 'number') return requiredString(body, 'customer_uid');
  if (!Number.isSafeInteger(uid)) {
    throw invalidRequest('customer_uid is a number that loses digits. Send it as a string.');
  }
  return uid.toString();
}

function optionsOf(
  body: JsonObject,
): Pick<CreateTransaction, 'options' | 'idType' | 'redirectUrl'> {
  const hosted = optionalObject(body, 'hosted_options');
  const apiOnly = optionalObject(body, 'api_only_options');
  if (hosted && apiOnly) {
    throw invalidRequest('Send hosted_options or api_only_options, not both.');
  }
  if (hosted) return { options: 'hosted', redirectUrl: redirectUrlOf(hosted) };
  if (apiOnly) return { options: 'apiOnly', idType: idTypeOf(apiOnly) };
  return { options: 'none' };
}

/**
 * ASSUMPTION: other members are allowed and have no effect, since the name of the one for the expiry
 * of the URL is not known. [doc: changelog/transaction-report-updates-clarified-expiration-dates]
 */
function redirectUrlOf(options: JsonObject): string | undefined {
  optionalString(options, 'completion_email');
  return optionalString(options, 'redirect_url');
}

function idTypeOf(options: JsonObject): IdType | undefined {
  const country = optionalString(options, 'id_country');
  if (country !== undefined && !/^[a-z]{2}$/i.test(country)) {
    throw invalidRequest('id_country must be a country code of two letters, such as US.');
  }
  const sent = optionalString(options, 'id_type');
  const type = ID_TYPES.find((known) => known === sent);
  if (type !== sent) throw invalidRequest(`id_type must be one of ${ID_TYPES.join(', ')}.`);
  return type;
}

/**
 * ASSUMPTION: it is stored, but not compared, since the flags for a difference are not known.
 */
function matchDataOf(body: JsonObject): MatchData | undefined {
  const data = optionalObject(body, 'match_data');
  if (data === undefined) return undefined;
  const members = MATCH_DATA.map((name) => [name, optionalString(data, name)] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** What `PATCH /v0/transactions/override` asks for. */
export interface Override {
  idType: IdType;
  flags: readonly string[];
  fields: Fields;
}

/** The document that each payload stands for. */
const DOCUMENTS: Record<(typeof RESPONSE_PAYLOADS)[number], IdType> = {
  'us-dl': 'DL',
  'us-id': 'ID',
  passport: 'P',
  'us-passport': 'P',
};

/** Accepts any flag and any field. [sdk: all] [doc: docs/testing] */
export function parseOverride(body: JsonObject): Override {
  return {
    idType: documentOf(body),
    flags: flagsOf(body),
    fields: fieldsOf(body, 'override_fields'),
  };
}

function documentOf(body: JsonObject): IdType {
  const sent = requiredString(body, 'response_payload');
  const payload = RESPONSE_PAYLOADS.find((known) => known === sent);
  if (payload) return DOCUMENTS[payload];
  throw invalidRequest(`response_payload must be one of ${RESPONSE_PAYLOADS.join(', ')}.`);
}

/** Go and Java send `null` for none. [sdk: go, java] */
export function flagsOf(body: JsonObject): string[] {
  const flags = body.flags ?? [];
  if (Array.isArray(flags) && flags.every((flag) => typeof flag === 'string' && isFlag(flag))) {
    return [...flags] as string[];
  }
  throw invalidRequest('flags must be a list of names such as id_expired.');
}

/** Values of fields, in the member with this name; none if it is missing. */
export function fieldsOf(body: JsonObject, name: string): Fields {
  const fields = optionalObject(body, name) ?? {};
  if (Object.values(fields).every((value) => typeof value === 'string')) return fields as Fields;
  throw invalidRequest(`${name} must be an object of strings.`);
}

/** What `PATCH /v0/transactions` asks for. [doc: reference/updatetransaction] */
export interface Update {
  action: string;
  note?: string;
}

/** Accepts any action: which ones exist depends on the account. */
export function parseUpdate(body: JsonObject): Update {
  return { action: requiredString(body, 'action'), note: optionalString(body, 'note') };
}
