import {
  type ApiOnlyOptions,
  type CreateTransactionRequest,
  type HostedOptions,
  ID_TYPES,
  type MatchData,
  UPLOAD_STEPS,
} from '../../wire/index.js';
import type { Schema } from './openapi.js';
import { boolean, object, oneOf, openWord, ref, string } from './schema.js';

const DATE = string({ format: 'date', description: '`YYYY-MM-DD`.' });

/** What goes to `POST /v0/transactions`, and what comes from there besides tokens. */
export const CREATION_SCHEMAS: Record<string, Schema> = {
  CreateTransactionRequest: object<CreateTransactionRequest>(
    {
      customer_uid: string({ minLength: 1, description: 'Your id of the user.' }),
      template_key: string({ minLength: 1, description: 'Must match the kind of transaction.' }),
      email: string(),
      phone: string(),
      consents_to_automated_facial_recognition: boolean({
        description: 'The end user consents; an uploaded selfie is not matched without it.',
      }),
      match_data: ref('MatchData'),
      hosted_options: ref('HostedOptions'),
      api_only_options: ref('ApiOnlyOptions'),
    },
    ['customer_uid', 'template_key'],
    'At most one of the two objects of options.',
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
    'What the extracted data is compared with.',
  ),
  HostedOptions: object<HostedOptions>(
    {
      completion_email: string({ description: 'Is written to when the verification is complete.' }),
      redirect_url: string({ description: 'Where the browser of the user goes then.' }),
    },
    [],
  ),
  ApiOnlyOptions: object<ApiOnlyOptions>(
    {
      id_country: string({ pattern: '^[A-Za-z]{2}$', description: 'ISO 3166-1 alpha-2.' }),
      id_type: oneOf(ID_TYPES, {
        description:
          'Passport, driver licence, permanent resident card, passport card, other card.',
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
