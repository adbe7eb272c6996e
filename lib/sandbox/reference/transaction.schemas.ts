import {
  ACTIONS,
  METADATA_ENTITY,
  type OverrideTransactionRequest,
  RESPONSE_PAYLOADS,
  type TransactionDuplicate,
  type TransactionField,
  type TransactionImages,
  type TransactionMetadata,
  type UpdateTransactionRequest,
} from '../../wire/index.js';
import type { Schema } from './openapi.js';
import { dateTime, int64, list, object, oneOf, openWord, recordOf, ref, string } from './schema.js';

const SHORT_LIVED_URL = string({ description: 'Short-lived.' });

/** What comes from `GET` and `PATCH /v0/transactions`, and what goes to `PATCH` and to the override. */
export const TRANSACTION_SCHEMAS: Record<string, Schema> = {
  TransactionMetadata: object<TransactionMetadata>(
    {
      entity: oneOf([METADATA_ENTITY]),
      id: int64({ example: 1_234_123_412_341_234 }),
      customer_uid: string({ example: 'alice' }),
      action: openWord(ACTIONS, { description: 'Empty while unfinished.', example: 'accept' }),
      flags: list(string(), {
        description: 'Why it needs a look; new ones come over time.',
        example: ['id_expired'],
      }),
      fields: recordOf(ref('TransactionField'), {
        description: 'By name, such as given_name or date_of_birth; empty while unfinished.',
      }),
      images: recordOf(ref('TransactionImages'), {
        description:
          'By name: front, back, selfie or liveness. Off by default; an option of the sandbox.',
      }),
      duplicates: list(ref('TransactionDuplicate')),
      created_at: dateTime(),
      completed_at: dateTime(),
      dashboard_url: string(),
      implementation_info: string({ description: 'In test mode only.' }),
      action_map_results: recordOf(true, { description: 'The schema is not public.' }),
    },
    ['entity', 'id', 'customer_uid'],
  ),
  TransactionField: object<TransactionField>(
    {
      value: string({ example: 'JOHN' }),
      confidence: string({ example: 'high' }),
      sources: list({
        type: 'object',
        properties: {
          value: string({ example: 'JOHN' }),
          type: string({ example: 'text-scan' }),
          confidence: string({ example: 'high' }),
        },
        required: ['value', 'type', 'confidence'],
      }),
    },
    ['value'],
    'All values are strings, the age too.',
  ),
  TransactionImages: object<TransactionImages>(
    { full_image: SHORT_LIVED_URL, cropped_image: SHORT_LIVED_URL, face_image: SHORT_LIVED_URL },
    [],
  ),
  TransactionDuplicate: object<TransactionDuplicate>(
    { customer_uid: string({ example: 'bob' }), transaction_id: int64() },
    ['customer_uid', 'transaction_id'],
    'Another transaction with the same photo ID.',
  ),
  UpdateTransactionRequest: object<UpdateTransactionRequest>(
    { action: openWord(ACTIONS, { minLength: 1 }), note: string() },
    ['action'],
  ),
  OverrideTransactionRequest: object<OverrideTransactionRequest>(
    {
      response_payload: oneOf(RESPONSE_PAYLOADS, { description: 'The document that was shown.' }),
      flags: list(string({ pattern: '^[a-z0-9_]+$' }), {
        description: 'Those of the result. None make the action accept.',
      }),
      override_fields: recordOf(string(), { description: 'Values of fields of the result.' }),
    },
    ['response_payload'],
  ),
};
