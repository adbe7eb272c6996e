import { answers, answersNothing, type Operation, type ReferenceValues, takes } from './model.js';
import { GONE, NO_ACCESS_TOKEN, NO_SECRET, refuses, TOO_LARGE, WRONG_KIND } from './refusals.js';

const WITH_ACCESS_TOKEN: Operation['security'] = [{ accessToken: [] }];
const TAGS = ['Transactions'];
const NO_JSON = 'The body is not a JSON object, or has a member of the wrong type.';

/** [doc: docs/transactions] [doc: blog, selfie-reverification] */
const CREATING = `Each call creates a new transaction, even for the same customer. The options determine its kind, and the template must match: see the examples. Store the refresh token at the backend, and give nothing but the client token to the page or app.

**If the customer has an incomplete transaction**, do not create another one: [exchange its refresh token](#/Tokens/refreshTokens) and resume it with the new client token.

**To verify a customer again**, create another transaction with the same \`customer_uid\`, which also finds duplicates. A template for re-verification asks for a selfie only, and compares it with the photo ID of the earlier transaction. Keep the refresh tokens of both, if you still need the earlier result.`;

/** `POST /v0/transactions`. [doc: reference/createtransaction] */
export function createTransactionOperation({ templateKeys }: ReferenceValues): Operation {
  const customer_uid = 'alice';
  return {
    operationId: 'createTransaction',
    tags: TAGS,
    summary: 'Create a transaction',
    description: CREATING,
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
      ...refuses(
        [400, 'invalidRequest', NO_JSON],
        NO_SECRET,
        [403, 'notAllowed', 'The account may not send consents_to_automated_facial_recognition.'],
        TOO_LARGE,
        [429, 'rateLimited', 'Too many test transactions were completed within four hours.', true],
      ),
    },
  };
}

/** [sdk: node README] [doc: docs/platform-overview] */
const FETCHING = `The access token identifies the transaction. The result is there as soon as the page or app reports the end, or a webhook arrives; the action is empty while the transaction is incomplete.

After an hour the access token has expired: [exchange the refresh token](#/Tokens/refreshTokens) first. Links to images expire, too; copy the images if you need them. If the action is \`review\`, a person decides, and you [change the action](#/Transactions/updateTransaction).`;

/** `GET /v0/transactions`. [doc: reference/gettransactionmetadata] */
export const FETCH_TRANSACTION: Operation = {
  operationId: 'fetchTransaction',
  tags: TAGS,
  summary: 'Fetch the metadata of a transaction',
  description: FETCHING,
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
    'In test mode only. The flags determine the action; other fields are those of a sample document. Then [fetch the result](#/Transactions/fetchTransaction).',
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
      [403, 'notAllowed', 'The transaction belongs to live mode.'],
      [409, 'wrongState', 'The transaction is already complete.'],
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
  description:
    'For decisions of people after a review. In test mode, [complete the transaction](#/Transactions/overrideTransaction) first.',
  security: WITH_ACCESS_TOKEN,
  requestBody: takes('UpdateTransactionRequest', {
    update: { value: { action: 'reject', note: 'The photo is of somebody else.' } },
  }),
  responses: {
    ...answers('The changed metadata.', 'TransactionMetadata'),
    ...refuses(
      [
        400,
        'invalidRequest',
        'The body is not a JSON object, or has a member of the wrong type or an action that the account does not have.',
      ],
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
  description:
    'Permanently: all further calls for it are answered with 410, [exchanges](#/Tokens/refreshTokens) too.',
  security: WITH_ACCESS_TOKEN,
  responses: {
    ...answersNothing('The transaction is deleted.'),
    ...refuses(NO_ACCESS_TOKEN, WRONG_KIND, GONE),
  },
};
