import { type ApiConflictBody, type ApiErrorBody, READABLE } from '../../wire/index.js';
import type { Schema } from './openapi.js';
import { object, openWord, string } from './schema.js';
import { NEXT_STEP } from './upload.schemas.js';

/** What a refusal looks like. */
export const ERROR_SCHEMAS: Record<string, Schema> = {
  ApiErrorBody: object<ApiErrorBody>(
    {
      code: { type: 'integer', description: 'Repeats the HTTP status.', example: 401 },
      readable: openWord(Object.values(READABLE), {
        description: 'A word that programs can compare.',
      }),
      message: string({ description: 'What is wrong, for people.' }),
    },
    ['code', 'message'],
    'The body of every refusal but a conflict of uploads.',
  ),
  ApiConflictBody: object<ApiConflictBody>(
    { next_step: NEXT_STEP, message: string() },
    ['message'],
    'The transaction waits for another upload, or for none.',
  ),
};
