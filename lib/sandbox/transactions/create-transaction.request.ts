import { ID_TYPES, type IdType, type MatchData } from '../../wire/index.js';
import { invalidRequest } from '../errors/api.exception.js';
import {
  type JsonObject,
  optionalBoolean,
  optionalObject,
  optionalString,
  requiredString,
} from '../requests/fields.js';

/** [sdk: php 2.1.0] */
const MATCH_DATA: readonly (keyof MatchData)[] = [
  'given_name',
  'middle_name',
  'family_name',
  'date_of_birth',
  'id_expiry_date',
];

/** What the sandbox needs to know of a request to create a transaction. */
export interface CreateTransaction {
  customerUid: string;
  templateKey: string;
  /** Which object of options came along, if any. */
  options: 'hosted' | 'apiOnly' | 'none';
  email?: string;
  phone?: string;
  facialRecognition: boolean;
  matchData?: MatchData;
  idType?: IdType;
  /** Hosted transactions only. */
  redirectUrl?: string;
}

/** Checks the body as leniently as the SDKs differ, and refuses what is truly wrong. [sdk: all] */
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

/** Python's hosted call sends numbers as they are; the others make strings of them. [sdk: python] */
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
 * ASSUMPTION: which member says when a hosted URL expires is not known, so whatever else is in the
 * object is welcome, and has no effect. [doc: changelog/transaction-report-updates-clarified-expiration-dates]
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
 * ASSUMPTION: it is kept, and compared with nothing: which flags a difference from the extracted
 * data raises is not known.
 */
function matchDataOf(body: JsonObject): MatchData | undefined {
  const data = optionalObject(body, 'match_data');
  return data && Object.fromEntries(MATCH_DATA.map((name) => [name, optionalString(data, name)]));
}
