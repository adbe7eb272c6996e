import {
  IMAGE_FORMATS,
  IMAGE_SUBJECTS,
  type ImageSubject,
  UPLOAD_STEPS,
  type UploadStep,
} from '../../wire/index.js';
import { invalidRequest } from '../errors/api.exception.js';
import {
  type JsonObject,
  optionalObject,
  optionalString,
  requiredList,
  requiredString,
} from '../requests/fields.js';
import { requiredBase64 } from './base64.js';
import { requirePdf417 } from './pdf417.js';
import type { Upload } from './upload.js';

/** The images that each step takes, all of them in one upload. [doc: reference/uploadimages] */
const SETS: readonly (readonly [UploadStep, readonly ImageSubject[]])[] = [
  [UPLOAD_STEPS.front, ['document_front']],
  [UPLOAD_STEPS.back, ['document_back']],
  [UPLOAD_STEPS.barcode, ['document_barcode']],
  [UPLOAD_STEPS.selfie, ['selfie_front']],
  [UPLOAD_STEPS.liveness, ['selfie_front', 'selfie_left', 'selfie_right']],
];

/** The body of `POST /v0/images/upload`. [sdk: node, java] */
export function parseUploadImages(body: JsonObject): Upload {
  const images = requiredList(body, 'images');
  const step = stepOf(images.map(subjectOf));
  return { step, isScan: false, contents: images.flatMap(contentsOf) };
}

function subjectOf(image: JsonObject): ImageSubject {
  const sent = requiredString(image, 'image_subject');
  const subject = IMAGE_SUBJECTS.find((known) => known === sent);
  if (!subject) throw invalidRequest(`image_subject must be one of ${IMAGE_SUBJECTS.join(', ')}.`);
  return subject;
}

function stepOf(subjects: readonly ImageSubject[]): UploadStep {
  const match = SETS.find(
    ([, set]) =>
      set.length === subjects.length && set.every((subject) => subjects.includes(subject)),
  );
  if (match) return match[0];
  throw invalidRequest(
    'images must be one image of the document, one selfie_front, or selfie_front, selfie_left and selfie_right together.',
  );
}

/** The image and, if its barcode was read before, what it says. */
function contentsOf(image: JsonObject): Buffer[] {
  const format = optionalString(image, 'format');
  if (format !== undefined && !IMAGE_FORMATS.some((known) => known === format)) {
    throw invalidRequest(`format must be one of ${IMAGE_FORMATS.join(', ')}.`);
  }
  const supplement = optionalObject(image, 'supplementary_data');
  const barcode = supplement && optionalObject(supplement, 'extracted_barcode');
  return [requiredBase64(image, 'data'), ...(barcode ? [barcodeOf(barcode)] : [])];
}

function barcodeOf(barcode: JsonObject): Buffer {
  requirePdf417(barcode, 'barcode_type');
  return requiredBase64(barcode, 'extracted_data');
}
