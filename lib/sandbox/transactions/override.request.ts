import { type IdType, RESPONSE_PAYLOADS } from '../../wire/index.js';
import { invalidRequest } from '../errors/api.exception.js';
import { type JsonObject, optionalObject, requiredString } from '../requests/fields.js';
import { isFlag } from './default-action-map.js';
import type { Fields } from './sample-fields.js';

/** What `PATCH /v0/transactions/override` asks for. */
export interface Override {
  idType: IdType;
  flags: readonly string[];
  fields: Fields;
}

/** The document of each payload. */
const DOCUMENTS: Record<(typeof RESPONSE_PAYLOADS)[number], IdType> = {
  'us-dl': 'DL',
  'us-id': 'ID',
  passport: 'P',
  'us-passport': 'P',
};

/** Checks the body; any flag and any field may be made up. [sdk: all] [doc: docs/testing] */
export function parseOverride(body: JsonObject): Override {
  return { idType: documentOf(body), flags: flagsOf(body), fields: fieldsOf(body) };
}

function documentOf(body: JsonObject): IdType {
  const sent = requiredString(body, 'response_payload');
  const payload = RESPONSE_PAYLOADS.find((known) => known === sent);
  if (payload) return DOCUMENTS[payload];
  throw invalidRequest(`response_payload must be one of ${RESPONSE_PAYLOADS.join(', ')}.`);
}

/** Go and Java send `null` for none. [sdk: go, java] */
function flagsOf(body: JsonObject): string[] {
  const flags = body.flags ?? [];
  if (Array.isArray(flags) && flags.every((flag) => typeof flag === 'string' && isFlag(flag))) {
    return flags as string[];
  }
  throw invalidRequest('flags must be a list of names such as id_expired.');
}

function fieldsOf(body: JsonObject): Fields {
  const fields = optionalObject(body, 'override_fields') ?? {};
  if (Object.values(fields).every((value) => typeof value === 'string')) return fields as Fields;
  throw invalidRequest('override_fields must be an object of strings.');
}
