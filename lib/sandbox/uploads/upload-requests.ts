import {
  IMAGE_FORMATS,
  IMAGE_SUBJECTS,
  type ImageSubject,
  UPLOAD_STEPS,
  type UploadStep,
} from '../../wire/index.js';
import { invalidRequest } from '../http/api-exception.js';
import {
  type JsonObject,
  optionalObject,
  optionalString,
  requiredList,
  requiredString,
} from '../http/request-body.js';

/** A valid upload: a complete set of images with decoded content, or one scan. */
export interface Upload {
  /** The step that it is for. */
  readonly step: UploadStep;
  /** Whether a scanner read it. */
  readonly isScan: boolean;
  /** Its images and barcodes; the first one identifies the document. */
  readonly contents: readonly Buffer[];
}

/** The images of each step, all in one upload. [doc: reference/uploadimages] */
const IMAGE_SETS: readonly (readonly [UploadStep, readonly ImageSubject[]])[] = [
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
  const match = IMAGE_SETS.find(
    ([, set]) =>
      set.length === subjects.length && set.every((subject) => subjects.includes(subject)),
  );
  if (match) return match[0];
  throw invalidRequest(
    'images must be one image of the document, one selfie_front, or selfie_front, selfie_left and selfie_right together.',
  );
}

/** The image, and its barcode if it was read before the upload. */
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

/** The body of `POST /v0/idscans/upload`: one scan. [doc: reference/idscans] [sdk: node] */
export function parseUploadIdScans(body: JsonObject): Upload {
  const [scan, ...more] = requiredList(body, 'id_scans');
  if (!scan || more.length > 0) throw invalidRequest('id_scans must have one element.');
  requirePdf417(scan, 'scan_type');
  return {
    step: UPLOAD_STEPS.barcode,
    isScan: true,
    contents: [requiredBase64(scan, 'extracted_data')],
  };
}

/** Some encoders break lines; Go's decoder ignores that. [RFC 2045 section 6.8] */
const LINE_BREAKS = /[\r\n]/g;

/** A member that must be present, and valid base64 as a whole. */
function requiredBase64(body: JsonObject, name: string): Buffer {
  const text = requiredString(body, name).replace(LINE_BREAKS, '');
  const content = Buffer.from(text, 'base64');
  // Node skips invalid characters, so the text would differ.
  if (content.length === 0 || content.toString('base64') !== text) {
    throw invalidRequest(`${name} must be base64, with padding and without a data URL around it.`);
  }
  return content;
}

/** The API only accepts this type of barcode. [sdk: node, java] */
function requirePdf417(body: JsonObject, name: string): void {
  if (requiredString(body, name) !== 'pdf417') throw invalidRequest(`${name} must be pdf417.`);
}
