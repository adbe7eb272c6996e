import { BerbixInputError, readInput } from '../errors/index.js';
import {
  IMAGE_FORMATS,
  IMAGE_SUBJECTS,
  MAX_UPLOAD_BYTES,
  type ImageFormat,
  type ImageSubject,
  type UploadIdScansRequest,
  type UploadImagesRequest,
} from '../wire/index.js';

/** Bytes, or base64 text. */
export type UploadData = Uint8Array | string;

/** An image of an API-only transaction. [sdk: node, java] */
export interface UploadImageDto {
  imageSubject: ImageSubject;
  /** If omitted, the API detects it. [sdk: node] */
  format?: ImageFormat | undefined;
  /** Berbix recommends JPEG below 10 MB. [doc: reference/uploadimages] */
  data: UploadData;
  /** The data of the PDF417 barcode, if you have already read it. [sdk: node, java] */
  extractedBarcode?: UploadData | undefined;
}

/**
 * The JSON body of an image upload, as bytes. Images are encoded directly into it. If it were made
 * of strings, an image of 15 MB would be in memory four times: as base64, in JSON, and as bytes
 * again.
 *
 * @throws {BerbixInputError} for invalid images
 */
export function imagesBody(images: readonly UploadImageDto[]): Uint8Array {
  return readInput('An upload takes a list of images.', () => assembleImages(images));
}

function assembleImages(images: readonly UploadImageDto[]): Uint8Array {
  if (!Array.isArray(images) || images.length === 0) {
    throw new BerbixInputError('There is no image to upload. Pass at least one.');
  }
  if (images.some((image) => typeof image !== 'object' || image === null)) {
    throw new BerbixInputError('Each image must be an object with imageSubject and data.');
  }
  const blobs = new Blobs();
  const shape: UploadImagesRequest = {
    images: images.map((image: UploadImageDto, index) => ({
      image_subject: oneOf(IMAGE_SUBJECTS, image.imageSubject, `images[${index}].imageSubject`),
      ...(image.format !== undefined && {
        format: oneOf(IMAGE_FORMATS, image.format, `images[${index}].format`),
      }),
      data: blobs.add(image.data, `images[${index}].data`),
      ...(image.extractedBarcode !== undefined && {
        supplementary_data: {
          extracted_barcode: {
            barcode_type: 'pdf417',
            extracted_data: blobs.add(image.extractedBarcode, `images[${index}].extractedBarcode`),
          },
        },
      }),
    })),
  };
  return blobs.assemble(shape);
}

/** The JSON body of an ID scan, as bytes. @throws {BerbixInputError} for invalid data */
export function idScanBody(extractedData: UploadData): Uint8Array {
  const blobs = new Blobs();
  const data = readInput('An upload takes bytes or base64.', () =>
    blobs.add(extractedData, 'extractedData'),
  );
  const shape: UploadIdScansRequest = { id_scans: [{ scan_type: 'pdf417', extracted_data: data }] };
  return blobs.assemble(shape);
}

/** The number of bytes encoded at a time; a multiple of three, so that base64 needs no padding. */
const SLICE = 48 * 1024;

/**
 * Large values of a JSON text, which are inserted at the end. All other values are from closed
 * vocabularies, so they cannot contain a placeholder.
 */
class Blobs {
  readonly #blobs: UploadData[] = [];

  /** Adds a value, and returns its placeholder. */
  add(data: unknown, name: string): string {
    if (!(data instanceof Uint8Array) && typeof data !== 'string') {
      throw new BerbixInputError(`${name} must be a Buffer, a Uint8Array or a base64 string.`);
    }
    if (data.length === 0) throw new BerbixInputError(`${name} is empty.`);
    if (typeof data === 'string' && !isBase64(data)) {
      throw new BerbixInputError(
        `${name} is not base64. A data: URL or a file name is not accepted.`,
      );
    }
    return `#${this.#blobs.push(data)}`;
  }

  assemble(shape: object): Buffer {
    const pieces = JSON.stringify(shape).split(/#\d+/);
    const size = [...pieces, ...this.#blobs].reduce((sum, part) => sum + encodedLength(part), 0);
    if (size > MAX_UPLOAD_BYTES) {
      throw new BerbixInputError(
        `The upload would have ${size} bytes, but Berbix accepts at most ${MAX_UPLOAD_BYTES}. Send ` +
          'smaller images; Berbix recommends JPEG below 10 MB.',
      );
    }
    const body = Buffer.allocUnsafe(size);
    let end = 0;
    pieces.forEach((piece, index) => {
      end += body.write(piece, end, 'latin1');
      const blob = this.#blobs[index];
      if (blob !== undefined) end += write(body, blob, end);
    });
    return body;
  }
}

/**
 * Searches for other characters, since a pattern for the whole text would overflow with megabytes.
 */
function isBase64(text: string): boolean {
  const digits = text.replace(/={1,2}$/, '');
  return digits !== '' && !/[^A-Za-z0-9+/]/.test(digits);
}

function encodedLength(part: UploadData): number {
  return typeof part === 'string' ? part.length : Math.ceil(part.length / 3) * 4;
}

function write(body: Buffer, blob: UploadData, start: number): number {
  if (typeof blob === 'string') return body.write(blob, start, 'latin1');
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  let end = start;
  for (let from = 0; from < bytes.length; from += SLICE) {
    end += body.write(bytes.toString('base64', from, from + SLICE), end, 'latin1');
  }
  return end - start;
}

function oneOf<T extends string>(values: readonly T[], value: unknown, name: string): T {
  if (values.includes(value as T)) return value as T;
  throw new BerbixInputError(`${name} must be one of ${values.join(', ')}.`);
}
