import { API_PATHS } from '../../wire/index.js';
import type { OpenApiDocument, ReferenceValues, Schema } from './model.js';
import { ERROR_SCHEMAS } from './refusals.js';
import { refreshTokensOperation, TOKEN_SCHEMAS } from './tokens.js';
import {
  createTransactionOperation,
  DELETE_TRANSACTION,
  FETCH_TRANSACTION,
  OVERRIDE_TRANSACTION,
  UPDATE_TRANSACTION,
} from './transaction-operations.js';
import { CREATION_SCHEMAS, TRANSACTION_SCHEMAS } from './transaction-schemas.js';
import { UPLOAD_ID_SCAN, UPLOAD_IMAGES, UPLOAD_SCHEMAS } from './uploads.js';

/** The operations of the API of Berbix. */
export function apiPaths(values: ReferenceValues): OpenApiDocument['paths'] {
  return {
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
  };
}

/** The bodies of these operations and of their answers. */
export const API_SCHEMAS: Readonly<Record<string, Schema>> = {
  ...TOKEN_SCHEMAS,
  ...CREATION_SCHEMAS,
  ...TRANSACTION_SCHEMAS,
  ...UPLOAD_SCHEMAS,
  ...ERROR_SCHEMAS,
};
