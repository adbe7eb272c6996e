import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BerbixInputError } from 'nestjs-berbix';
import { idScanBody, imagesBody, type UploadImageDto } from '../../lib/transactions/upload-body.js';

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString('utf8'));
const front = (data: Uint8Array | string): UploadImageDto => ({
  imageSubject: 'document_front',
  data,
});

const NOT_BASE64 = 'images[0].data is not base64. A data: URL or a file name is not accepted.';
const tooLarge = (bytes: number): string =>
  `The upload would have ${bytes} bytes, but Berbix accepts at most 20971520. Send smaller images; Berbix recommends JPEG below 10 MB.`;

describe('the body of an upload', () => {
  it('is the JSON of the API, for any form of the data', () => {
    const bytes = Buffer.from('a picture');
    for (const data of [bytes, new Uint8Array(bytes), bytes.toString('base64')]) {
      const image = {
        imageSubject: 'document_back',
        format: 'image/png',
        data,
        extractedBarcode: bytes,
      } as const;
      expect(parse(imagesBody([front(data), image]))).toEqual({
        images: [
          { image_subject: 'document_front', data: bytes.toString('base64') },
          {
            image_subject: 'document_back',
            format: 'image/png',
            data: bytes.toString('base64'),
            supplementary_data: {
              extracted_barcode: {
                barcode_type: 'pdf417',
                extracted_data: bytes.toString('base64'),
              },
            },
          },
        ],
      });
    }
    expect(parse(idScanBody(bytes))).toEqual({
      id_scans: [{ scan_type: 'pdf417', extracted_data: bytes.toString('base64') }],
    });
  });

  it('is correct for any bytes and lengths, including views of a larger buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(8), (bytes, offset) => {
        const larger = new Uint8Array(bytes.length + offset);
        larger.set(bytes, offset);
        expect(parse(imagesBody([front(larger.subarray(offset))]))).toEqual({
          images: [
            { image_subject: 'document_front', data: Buffer.from(bytes).toString('base64') },
          ],
        });
      }),
    );
  });

  it.each([
    ['', 'extractedData is empty.'],
    [7, 'extractedData must be a Buffer, a Uint8Array or a base64 string.'],
  ])('refuses %j as the data of an ID scan', (data, message) => {
    expect(() => idScanBody(data as string)).toThrow(new BerbixInputError(message));
  });

  it.each(['YQ==', 'YWI=', 'YWJj'])('keeps the padding of base64: %s', (data) => {
    expect(parse(imagesBody([front(data)]))).toEqual({
      images: [{ image_subject: 'document_front', data }],
    });
  });

  it('of a 15 MB image is in memory once, and complete', () => {
    const image = Buffer.alloc(15_000_000, 'berbix');
    const before = process.memoryUsage();
    const body = imagesBody([front(image)]);
    const after = process.memoryUsage();
    expect(body.length).toBeLessThan(20_000_100);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(21_000_000);
    const { images } = parse(body) as { images: [{ data: string }] };
    expect(Buffer.from(images[0].data, 'base64').equals(image)).toBe(true);
  });

  it('may have exactly as many bytes as allowed', () => {
    const around = imagesBody([front('AAAA')]).length - 4;
    const body = (size: number): Uint8Array => imagesBody([front('A'.repeat(size - around))]);
    const allowed = 20 * 1024 * 1024;
    expect(body(allowed)).toHaveLength(allowed);
    expect(() => body(allowed + 1)).toThrow(/at most 20971520/);
  });

  it.each<[string, unknown, string]>([
    ['nothing', [], 'There is no image to upload. Pass at least one.'],
    ['no list', undefined, 'There is no image to upload. Pass at least one.'],
    ['null', [null], 'Each image must be an object with imageSubject and data.'],
    ['a text', ['AAAA'], 'Each image must be an object with imageSubject and data.'],
    ['a number', [5], 'Each image must be an object with imageSubject and data.'],
    [
      'no data',
      [{ imageSubject: 'document_front' }],
      'images[0].data must be a Buffer, a Uint8Array or a base64 string.',
    ],
    ['empty data', [front(Buffer.alloc(0))], 'images[0].data is empty.'],
    ['too much padding', [front('AA===')], NOT_BASE64],
    ['base64url', [front('-_AA')], NOT_BASE64],
    ['padding alone', [front('==')], NOT_BASE64],
    ['padding in the middle', [front('AA==AAAA')], NOT_BASE64],
    ['a data: URL', [front('data:image/png;base64,AAAA')], NOT_BASE64],
    [
      'an unknown subject',
      [{ imageSubject: 'front', data: 'AAAA' }],
      'images[0].imageSubject must be one of document_front, document_back, document_barcode, selfie_front, selfie_left, selfie_right.',
    ],
    [
      'an unknown format',
      [{ ...front('AAAA'), format: 'image/gif' }],
      'images[0].format must be one of image/jpeg, image/jpg, image/png.',
    ],
    [
      'a bad barcode',
      [{ ...front('AAAA'), extractedBarcode: 5 }],
      'images[0].extractedBarcode must be a Buffer, a Uint8Array or a base64 string.',
    ],
    ['too much', [front(Buffer.alloc(21 * 1024 * 1024))], tooLarge(29_360_185)],
    [
      'too much in total',
      Array(3).fill(front(Buffer.alloc(6 * 1024 * 1024))),
      tooLarge(25_165_971),
    ],
  ])('refuses %s', (_what, images, message) => {
    expect(() => imagesBody(images as UploadImageDto[])).toThrow(new BerbixInputError(message));
  });
});
