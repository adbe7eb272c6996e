import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { idScanBody, imagesBody, type UploadImageDto } from '../../lib/transactions/upload-body.js';

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString('utf8'));
const front = (data: Uint8Array | string): UploadImageDto => ({
  imageSubject: 'document_front',
  data,
});

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

  it.each<[string, unknown, RegExp]>([
    ['nothing', [], /no image/],
    ['no list', undefined, /no image/],
    ['null', [null], /Each image must be an object/],
    ['no data', [{ imageSubject: 'document_front' }], /images\[0\]\.data must be a Buffer/],
    ['empty data', [front(Buffer.alloc(0))], /images\[0\]\.data is empty/],
    ['too much padding', [front('AA===')], /images\[0\]\.data is not base64/],
    ['base64url', [front('-_AA')], /images\[0\]\.data is not base64/],
    ['padding alone', [front('==')], /images\[0\]\.data is not base64/],
    ['padding in the middle', [front('AA==AAAA')], /images\[0\]\.data is not base64/],
    ['a data: URL', [front('data:image/png;base64,AAAA')], /images\[0\]\.data is not base64/],
    [
      'an unknown subject',
      [{ imageSubject: 'front', data: 'AAAA' }],
      /images\[0\]\.imageSubject must be one of/,
    ],
    [
      'an unknown format',
      [{ ...front('AAAA'), format: 'image/gif' }],
      /images\[0\]\.format must be one of/,
    ],
    [
      'a bad barcode',
      [{ ...front('AAAA'), extractedBarcode: 5 }],
      /images\[0\]\.extractedBarcode must be/,
    ],
    ['too much', [front(Buffer.alloc(21 * 1024 * 1024))], /at most 20971520/],
    ['too much in total', Array(3).fill(front(Buffer.alloc(6 * 1024 * 1024))), /at most 20971520/],
  ])('refuses %s', (_what, images, message) => {
    expect(() => imagesBody(images as UploadImageDto[])).toThrow(message);
  });
});
