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
import {
  answers,
  boolean,
  list,
  object,
  closedWord,
  openWord,
  type Operation,
  ref,
  type Response,
  type Schema,
  string,
  takes,
} from './model.js';
import { GONE, NEXT_STEP, NO_CLIENT_TOKEN, refuses, TOO_LARGE, WRONG_KIND } from './refusals.js';

const BASE64 = string({ contentEncoding: 'base64', minLength: 1, description: 'base64.' });
const PDF417 = closedWord(['pdf417']);

/** The bodies of the two uploads, and their answer. */
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
      image_subject: closedWord(IMAGE_SUBJECTS),
      format: closedWord(IMAGE_FORMATS),
      data: BASE64,
      supplementary_data: {
        type: 'object',
        properties: { extracted_barcode: ref('ExtractedBarcode') },
      },
    },
    ['image_subject', 'data'],
  ),
  ExtractedBarcode: object<ExtractedBarcode>(
    { barcode_type: PDF417, extracted_data: BASE64 },
    ['barcode_type', 'extracted_data'],
    'A barcode that was already read before the upload.',
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
        description: 'The most important one is first. They do not change the status.',
        examples: [[]],
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

const WITH_CLIENT_TOKEN: Operation['security'] = [{ clientToken: [] }];
const TAGS = ['Uploads'];

/** The sandbox accepts any bytes as an image; the second ones request an issue. */
const [A_PHOTO, A_BLURRED_PHOTO, A_BARCODE] = ['a photo', 'issue:text_unreadable', 'a barcode'].map(
  (content) => Buffer.from(content).toString('base64'),
);

/** `POST /v0/images/upload`. [doc: reference/uploadimages] */
export const UPLOAD_IMAGES: Operation = {
  operationId: 'uploadImages',
  tags: TAGS,
  summary: 'Upload the images that an API-only transaction expects',
  description:
    '[Create an API-only transaction](#/Transactions/createTransaction) first. After an issue, the same upload is expected again. The sandbox does not inspect images, but their first bytes may request issues or flags: `issue:` or `flag:`, and names separated by commas.',
  security: WITH_CLIENT_TOKEN,
  requestBody: takes('UploadImagesRequest', {
    blurred: {
      summary: 'An unreadable photo',
      value: { images: [imageOf('document_front', A_BLURRED_PHOTO)] },
    },
    front: { summary: 'The front', value: { images: [imageOf('document_front', A_PHOTO)] } },
    back: {
      summary: 'The back, with a barcode that was already read',
      value: {
        images: [
          {
            ...imageOf('document_back', A_PHOTO),
            supplementary_data: {
              extracted_barcode: { barcode_type: 'pdf417', extracted_data: A_BARCODE },
            },
          },
        ],
      },
    },
  }),
  responses: uploadResponses(),
};

/** `POST /v0/idscans/upload`. [doc: reference/idscans] */
export const UPLOAD_ID_SCAN: Operation = {
  operationId: 'uploadIdScan',
  tags: TAGS,
  summary: 'Upload a scan of the barcode',
  description:
    'For templates that ask for the barcode only; 409 for others. The sandbox has such a template with the option `apiOnlyDocument`, set to `barcode` or `barcode-or-photo`.',
  security: WITH_CLIENT_TOKEN,
  requestBody: takes('UploadIdScansRequest', {
    scan: { value: { id_scans: [{ scan_type: 'pdf417', extracted_data: A_BARCODE }] } },
  }),
  responses: uploadResponses(),
};

function imageOf(image_subject: string, data: string | undefined) {
  return { image_subject, format: 'image/jpeg', data };
}

function uploadResponses(): Record<string, Response> {
  return {
    ...answers('The upload was processed, with or without issues.', 'UploadAnswer'),
    ...refuses(
      [
        400,
        'invalidRequest',
        'The body is not a JSON object, its images do not fit together, or one is not base64.',
      ],
      NO_CLIENT_TOKEN,
      WRONG_KIND,
      [403, 'notAllowed', 'The transaction is not an API-only one.'],
      GONE,
      TOO_LARGE,
    ),
    409: {
      description: 'The transaction expects another upload, or is complete.',
      content: {
        'application/json': {
          schema: ref('ApiConflictBody'),
          examples: {
            conflict: {
              value: {
                next_step: UPLOAD_STEPS.front,
                message: 'The transaction expects another upload.',
              },
            },
          },
        },
      },
    },
  };
}
