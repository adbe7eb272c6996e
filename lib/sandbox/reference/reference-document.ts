import { API_PATHS, PRODUCTION_HOST } from '../../wire/index.js';
import { VERSION } from '../../version.js';
import { CREATION_SCHEMAS } from './creation.schemas.js';
import { ERROR_SCHEMAS } from './error.schemas.js';
import type { OpenApiDocument, SecurityName, SecurityScheme, Server } from './openapi.js';
import type { ReferenceValues } from './reference-values.js';
import { refreshTokensOperation } from './token.operations.js';
import { TOKEN_SCHEMAS } from './token.schemas.js';
import {
  createTransactionOperation,
  DELETE_TRANSACTION,
  FETCH_TRANSACTION,
  OVERRIDE_TRANSACTION,
  UPDATE_TRANSACTION,
} from './transaction.operations.js';
import { TRANSACTION_SCHEMAS } from './transaction.schemas.js';
import { UPLOAD_ID_SCAN, UPLOAD_IMAGES } from './upload.operations.js';
import { UPLOAD_SCHEMAS } from './upload.schemas.js';

const DESCRIPTION = `The API of Berbix as nestjs-berbix knows it, from the official SDKs and public documentation.

In the sandbox: press **Authorize**, paste the API secret as user name and leave the password empty. The examples work when they are sent, the exchange with the refresh token of a transaction that was made for this page. The tokens of each answer are filled in for the requests after it.`;

const SECURITY_SCHEMES: Record<SecurityName, SecurityScheme> = {
  apiSecret: {
    type: 'http',
    scheme: 'basic',
    description: 'The API secret as user name, and an empty password.',
  },
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The access_token of the transaction that the call is about.',
  },
  clientToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The client_token of the transaction that the upload is for.',
  },
};

/** The whole API as an OpenAPI document; the examples have these values in them. */
export function createReferenceDocument(
  values: ReferenceValues,
  servers: Server[] = [{ url: PRODUCTION_HOST }],
): OpenApiDocument {
  return {
    openapi: '3.0.3',
    info: { title: 'Berbix', version: VERSION, description: DESCRIPTION },
    servers,
    tags: [
      { name: 'Tokens', description: 'The exchange' },
      { name: 'Transactions', description: 'From the creation to the result' },
      { name: 'Uploads', description: 'For API-only transactions' },
    ],
    paths: {
      [API_PATHS.tokens]: { post: refreshTokensOperation(values) },
      [API_PATHS.transactions]: {
        post: createTransactionOperation(values),
        get: FETCH_TRANSACTION,
        patch: UPDATE_TRANSACTION,
        delete: DELETE_TRANSACTION,
      },
      [API_PATHS.override]: { patch: OVERRIDE_TRANSACTION },
      [API_PATHS.images]: { post: UPLOAD_IMAGES },
      [API_PATHS.idScans]: { post: UPLOAD_ID_SCAN },
    },
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: {
        ...TOKEN_SCHEMAS,
        ...CREATION_SCHEMAS,
        ...TRANSACTION_SCHEMAS,
        ...UPLOAD_SCHEMAS,
        ...ERROR_SCHEMAS,
      },
    },
  };
}
