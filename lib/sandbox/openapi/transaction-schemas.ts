import {
  ACTIONS,
  type ApiOnlyOptions,
  type CreateTransactionRequest,
  type HostedOptions,
  ID_TYPES,
  type MatchData,
  METADATA_ENTITY,
  type OverrideTransactionRequest,
  RESPONSE_PAYLOADS,
  type TransactionDuplicate,
  type TransactionField,
  type TransactionImages,
  type TransactionMetadata,
  type UpdateTransactionRequest,
  UPLOAD_STEPS,
} from '../../wire/index.js';
import {
  boolean,
  dateTime,
  int64,
  list,
  object,
  closedWord,
  openWord,
  orNull,
  recordOf,
  ref,
  type Schema,
  string,
} from './model.js';

const DATE = string({ format: 'date', description: '`YYYY-MM-DD`.' });

/** The body of `POST /v0/transactions`, and the answer besides the tokens. */
export const CREATION_SCHEMAS: Record<string, Schema> = {
  CreateTransactionRequest: object<CreateTransactionRequest>(
    {
      customer_uid: string({ minLength: 1, description: 'Your id for the user.' }),
      template_key: string({ minLength: 1, description: 'Must match the kind of transaction.' }),
      email: string(),
      phone: string(),
      consents_to_automated_facial_recognition: boolean({
        description: 'Consent of the end user; without it, an uploaded selfie is not matched.',
      }),
      match_data: ref('MatchData'),
      hosted_options: ref('HostedOptions'),
      api_only_options: ref('ApiOnlyOptions'),
    },
    ['customer_uid', 'template_key'],
    'It has at most one of the two objects of options.',
  ),
  MatchData: object<MatchData>(
    {
      given_name: string(),
      middle_name: string(),
      family_name: string(),
      date_of_birth: DATE,
      id_expiry_date: DATE,
    },
    [],
    'Data to compare with the extracted data.',
  ),
  HostedOptions: object<HostedOptions>(
    {
      completion_email: string({ description: 'Gets an email when the verification is complete.' }),
      redirect_url: string({
        description: 'Where the browser of the user goes when it is complete.',
      }),
    },
    [],
  ),
  ApiOnlyOptions: object<ApiOnlyOptions>(
    {
      id_country: string({ pattern: '^[A-Za-z]{2}$', description: 'ISO 3166-1 alpha-2.' }),
      id_type: closedWord(ID_TYPES, {
        description:
          'Passport, driver license, permanent resident card, passport card, other card.',
      }),
    },
    [],
  ),
  CreationAnswer: {
    allOf: [
      ref('TokenAnswer'),
      {
        type: 'object',
        properties: {
          hosted_url: string({ description: 'Hosted transactions only: where to send the user.' }),
          first_step: openWord(Object.values(UPLOAD_STEPS), {
            description: 'API-only transactions only: the upload that comes first.',
          }),
        },
        required: ['refresh_token'],
      },
    ],
  },
};

const SHORT_LIVED_URL = string({ description: 'Short-lived.' });

/** The answer to `GET` and `PATCH /v0/transactions`, and the bodies of `PATCH` and of the override. */
export const TRANSACTION_SCHEMAS: Record<string, Schema> = {
  TransactionMetadata: object<TransactionMetadata>(
    {
      entity: closedWord([METADATA_ENTITY]),
      id: int64({ examples: [1_234_123_412_341_234] }),
      customer_uid: string({ examples: ['alice'] }),
      action: orNull(
        openWord(ACTIONS, {
          description: 'Empty or null while unfinished.',
          examples: ['accept'],
        }),
      ),
      flags: list(string(), {
        description: 'Reasons for a review; new ones are added over time.',
        examples: [['id_expired']],
      }),
      fields: recordOf(ref('TransactionField'), {
        description: 'By name, such as given_name or date_of_birth; empty while unfinished.',
      }),
      images: recordOf(ref('TransactionImages'), {
        description:
          'By name: front, back, selfie or liveness. Off by default, in the sandbox too: see its option `images`.',
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
      value: string({ examples: ['JOHN'] }),
      confidence: string({ examples: ['high'] }),
      sources: list({
        type: 'object',
        properties: {
          value: string({ examples: ['JOHN'] }),
          type: string({ examples: ['text-scan'] }),
          confidence: string({ examples: ['high'] }),
        },
        required: ['value', 'type', 'confidence'],
      }),
    },
    ['value'],
    'All values are strings, including the age.',
  ),
  TransactionImages: object<TransactionImages>(
    { full_image: SHORT_LIVED_URL, cropped_image: SHORT_LIVED_URL, face_image: SHORT_LIVED_URL },
    [],
  ),
  TransactionDuplicate: object<TransactionDuplicate>(
    { customer_uid: string({ examples: ['bob'] }), transaction_id: int64() },
    ['customer_uid', 'transaction_id'],
    'Another transaction with the same photo ID.',
  ),
  UpdateTransactionRequest: object<UpdateTransactionRequest>(
    { action: openWord(ACTIONS, { minLength: 1 }), note: string() },
    ['action'],
  ),
  OverrideTransactionRequest: object<OverrideTransactionRequest>(
    {
      response_payload: closedWord(RESPONSE_PAYLOADS, {
        description: 'The document of the result.',
      }),
      flags: list(string({ pattern: '^[a-z0-9_]+$' }), {
        description: 'The flags of the result. Without flags, the action is accept.',
      }),
      override_fields: recordOf(string(), {
        description: 'Fields of the result that differ from the sample.',
      }),
    },
    ['response_payload'],
  ),
};
