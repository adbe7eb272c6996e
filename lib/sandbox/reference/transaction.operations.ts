import type { Operation } from './openapi.js';
import { answers, answersNothing, takes } from './operation.js';
import type { ReferenceValues } from './reference-values.js';
import { GONE, NO_ACCESS_TOKEN, NO_SECRET, refuses, TOO_LARGE, WRONG_KIND } from './refusals.js';

const WITH_ACCESS_TOKEN: Operation['security'] = [{ accessToken: [] }];
const TAGS = ['Transactions'];
const NO_JSON = 'The body is not a JSON object, or has a member of the wrong type.';

/** `POST /v0/transactions`. [doc: reference/createtransaction] */
export function createTransactionOperation({ templateKeys }: ReferenceValues): Operation {
  const customer_uid = 'alice';
  return {
    operationId: 'createTransaction',
    tags: TAGS,
    summary: 'Create a transaction',
    description:
      'Each call makes a new one, also for the same customer. The options decide its kind, and the template must match: choose among the examples. Store the refresh token, and give the client token alone to the page or app.',
    security: [{ apiSecret: [] }],
    requestBody: takes('CreateTransactionRequest', {
      sdk: {
        summary: 'For the SDK in a page or app',
        value: { customer_uid, template_key: templateKeys.sdk },
      },
      hosted: {
        summary: 'For a page hosted by Berbix',
        value: {
          customer_uid,
          template_key: templateKeys.hosted,
          hosted_options: { redirect_url: 'https://example.com/verified' },
        },
      },
      apiOnly: {
        summary: 'For uploads by the backend',
        value: {
          customer_uid,
          template_key: templateKeys.apiOnly,
          api_only_options: { id_country: 'US', id_type: 'DL' },
        },
      },
    }),
    responses: {
      ...answers('The tokens of the new transaction.', 'CreationAnswer'),
      ...refuses([400, 'invalidRequest', NO_JSON], NO_SECRET, TOO_LARGE, [
        429,
        'rateLimited',
        'Too many test transactions were completed within four hours.',
      ]),
    },
  };
}

/** `GET /v0/transactions`. [doc: reference/gettransactionmetadata] */
export const FETCH_TRANSACTION: Operation = {
  operationId: 'fetchTransaction',
  tags: TAGS,
  summary: 'Fetch what is known about a transaction',
  description: 'The access token says which one. The action is empty while it is unfinished.',
  security: WITH_ACCESS_TOKEN,
  responses: {
    ...answers('Its metadata.', 'TransactionMetadata'),
    ...refuses(NO_ACCESS_TOKEN, WRONG_KIND, GONE),
  },
};

/** `PATCH /v0/transactions/override`. [doc: docs/testing] */
export const OVERRIDE_TRANSACTION: Operation = {
  operationId: 'overrideTransaction',
  tags: TAGS,
  summary: 'Complete a test transaction with a result of your choice',
  description:
    'In test mode only. The action follows from the flags; fields that are not named are those of a sample document.',
  security: WITH_ACCESS_TOKEN,
  requestBody: takes('OverrideTransactionRequest', {
    override: {
      value: {
        response_payload: 'us-dl',
        flags: ['id_expired'],
        override_fields: { given_name: 'ALICE' },
      },
    },
  }),
  responses: {
    ...answersNothing('The transaction is complete.'),
    ...refuses(
      [400, 'invalidRequest', NO_JSON],
      NO_ACCESS_TOKEN,
      WRONG_KIND,
      [403, 'notAllowed', 'The transaction is one of live mode.'],
      [409, 'wrongState', 'The transaction is complete already.'],
      GONE,
      TOO_LARGE,
    ),
  },
};

/** `PATCH /v0/transactions`. [doc: reference/updatetransaction] */
export const UPDATE_TRANSACTION: Operation = {
  operationId: 'updateTransaction',
  tags: TAGS,
  summary: 'Change the action of a completed transaction',
  description: 'For what people decide after a look at it. Complete it first: override it.',
  security: WITH_ACCESS_TOKEN,
  requestBody: takes('UpdateTransactionRequest', {
    update: { value: { action: 'reject', note: 'The photo is of somebody else.' } },
  }),
  responses: {
    ...answers('The metadata as it is then.', 'TransactionMetadata'),
    ...refuses(
      [400, 'invalidRequest', `${NO_JSON} So is an action that the account does not have.`],
      NO_ACCESS_TOKEN,
      WRONG_KIND,
      [409, 'wrongState', 'The transaction is not complete.'],
      GONE,
      TOO_LARGE,
    ),
  },
};

/** `DELETE /v0/transactions`. [sdk: go, java] */
export const DELETE_TRANSACTION: Operation = {
  operationId: 'deleteTransaction',
  tags: TAGS,
  summary: 'Delete everything about a transaction',
  description: 'For good: every other call about it is 410 from then on.',
  security: WITH_ACCESS_TOKEN,
  responses: {
    ...answersNothing('It is gone.'),
    ...refuses(NO_ACCESS_TOKEN, WRONG_KIND, GONE),
  },
};
