import { UPLOAD_STEPS } from '../../wire/index.js';
import type { Operation, Response } from './openapi.js';
import { answers, takes } from './operation.js';
import { GONE, NO_CLIENT_TOKEN, refuses, TOO_LARGE, WRONG_KIND } from './refusals.js';
import { ref } from './schema.js';

const WITH_CLIENT_TOKEN: Operation['security'] = [{ clientToken: [] }];
const TAGS = ['Uploads'];

/** Any bytes are an image to the sandbox; those that begin so are one that it finds fault with. */
const [A_PHOTO, A_BLURRED_PHOTO, A_BARCODE] = ['a photo', 'issue:text_unreadable', 'a barcode'].map(
  (content) => Buffer.from(content).toString('base64'),
);

/** `POST /v0/images/upload`. [doc: reference/uploadimages] */
export const UPLOAD_IMAGES: Operation = {
  operationId: 'uploadImages',
  tags: TAGS,
  summary: 'Upload the images that an API-only transaction waits for',
  description:
    'Create an API-only transaction first. With issues the same upload is wanted again. The sandbox looks at no picture, but at its first bytes: `issue:` or `flag:`, and names with commas between them.',
  security: WITH_CLIENT_TOKEN,
  requestBody: takes('UploadImagesRequest', {
    blurred: {
      summary: 'A photo that nobody can read',
      value: { images: [imageOf('document_front', A_BLURRED_PHOTO)] },
    },
    front: { summary: 'The front', value: { images: [imageOf('document_front', A_PHOTO)] } },
    back: {
      summary: 'The back, with a barcode that was read before',
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
  summary: 'Upload what a scanner has read',
  description:
    'For templates that want the barcode alone; 409 for others. The sandbox has such a template with the option `apiOnlyDocument`, set to `barcode` or `barcode-or-photo`.',
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
    ...answers('Taken, with or without issues.', 'UploadAnswer'),
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
      description: 'The transaction waits for another upload, or is complete.',
      content: {
        'application/json': {
          schema: ref('ApiConflictBody'),
          examples: {
            conflict: {
              value: {
                next_step: UPLOAD_STEPS.front,
                message: 'The transaction waits for another upload.',
              },
            },
          },
        },
      },
    },
  };
}
