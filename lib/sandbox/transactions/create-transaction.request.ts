import { invalidRequest } from '../errors/api.exception.js';
import {
  type JsonObject,
  optionalBoolean,
  optionalObject,
  optionalString,
  requiredString,
} from '../requests/fields.js';

/** `P` passport, `DL` driver licence, `PRC` residence card, `PC` passport card, `ID` other. [doc: docs/api-only-integration-guide] */
const ID_TYPES: readonly string[] = ['P', 'DL', 'PRC', 'PC', 'ID'];

/** What the sandbox needs to know of a request to create a transaction. */
export interface CreateTransaction {
  customerUid: string;
  templateKey: string;
  /** Which object of options came along, if any. */
  options: 'hosted' | 'apiOnly' | 'none';
}

/** Checks the body as leniently as the SDKs differ, and refuses what is truly wrong. [sdk: all] */
export function parseCreateTransaction(body: JsonObject): CreateTransaction {
  const request = {
    customerUid: customerUidOf(body),
    templateKey: requiredString(body, 'template_key'),
    options: optionsOf(body),
  };
  optionalString(body, 'email');
  optionalString(body, 'phone');
  optionalBoolean(body, 'consents_to_automated_facial_recognition');
  optionalObject(body, 'match_data');
  return request;
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

function optionsOf(body: JsonObject): CreateTransaction['options'] {
  const hosted = optionalObject(body, 'hosted_options');
  const apiOnly = optionalObject(body, 'api_only_options');
  if (hosted && apiOnly) {
    throw invalidRequest('Send hosted_options or api_only_options, not both.');
  }
  if (hosted) checkHosted(hosted);
  if (apiOnly) checkApiOnly(apiOnly);
  return hosted ? 'hosted' : apiOnly ? 'apiOnly' : 'none';
}

function checkHosted(options: JsonObject): void {
  optionalString(options, 'completion_email');
  optionalString(options, 'redirect_url');
}

function checkApiOnly(options: JsonObject): void {
  const country = optionalString(options, 'id_country');
  if (country !== undefined && !/^[a-z]{2}$/i.test(country)) {
    throw invalidRequest('id_country must be a country code of two letters, such as US.');
  }
  const type = optionalString(options, 'id_type');
  if (type !== undefined && !ID_TYPES.includes(type)) {
    throw invalidRequest(`id_type must be one of ${ID_TYPES.join(', ')}.`);
  }
}
