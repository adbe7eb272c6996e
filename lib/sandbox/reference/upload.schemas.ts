import {
  type ExtractedBarcode,
  IMAGE_FORMATS,
  IMAGE_SUBJECTS,
  UPLOAD_ISSUES,
  UPLOAD_STEPS,
  type UploadAnswer,
  type UploadIdScansRequest,
  type UploadImage,
  type UploadImagesRequest,
} from '../../wire/index.js';
import type { Schema } from './openapi.js';
import { boolean, list, object, oneOf, openWord, ref, string } from './schema.js';

/** What the transaction waits for. */
export const NEXT_STEP: Schema = openWord(Object.values(UPLOAD_STEPS), {
  description: 'The upload that the transaction waits for.',
  example: UPLOAD_STEPS.back,
});

const BASE64 = string({ format: 'byte', minLength: 1, description: 'base64.' });
const PDF417 = oneOf(['pdf417']);

/** What goes to the two uploads, and what comes from them. */
export const UPLOAD_SCHEMAS: Record<string, Schema> = {
  UploadImagesRequest: object<UploadImagesRequest>(
    {
      images: list(ref('UploadImage'), {
        minItems: 1,
        maxItems: 3,
        description:
          'One image of the document, one selfie_front, or selfie_front, selfie_left and selfie_right together.',
      }),
    },
    ['images'],
  ),
  UploadImage: object<UploadImage>(
    {
      image_subject: oneOf(IMAGE_SUBJECTS),
      format: oneOf(IMAGE_FORMATS),
      data: BASE64,
      supplementary_data: {
        type: 'object',
        properties: { extracted_barcode: ref('ExtractedBarcode') },
        required: ['extracted_barcode'],
      },
    },
    ['image_subject', 'data'],
  ),
  ExtractedBarcode: object<ExtractedBarcode>(
    { barcode_type: PDF417, extracted_data: BASE64 },
    ['barcode_type', 'extracted_data'],
    'A barcode that was read before the upload.',
  ),
  UploadIdScansRequest: object<UploadIdScansRequest>(
    {
      id_scans: list(
        {
          type: 'object',
          properties: { scan_type: PDF417, extracted_data: BASE64 },
          required: ['scan_type', 'extracted_data'],
        },
        { minItems: 1, maxItems: 1 },
      ),
    },
    ['id_scans'],
  ),
  UploadAnswer: object<UploadAnswer>(
    {
      issues: list(openWord(UPLOAD_ISSUES), {
        description: 'The first is the most important one. They do not change the status.',
        example: [],
      }),
      issue_details: {
        type: 'object',
        properties: {
          unsupported_id_type: {
            type: 'object',
            properties: { visa_page_of_passport: boolean() },
          },
        },
      },
      next_step: NEXT_STEP,
    },
    ['next_step'],
  ),
};
