import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS = new Map<string, Decoder>([
  ['gzip', promisify(gunzip) as Decoder],
  ['x-gzip', promisify(gunzip) as Decoder],
  ['deflate', promisify(inflate) as Decoder],
  ['br', promisify(brotliDecompress) as Decoder],
]);

/** Why a body cannot be read. */
export type DecodingProblem = 'too-large' | 'undecodable';

/**
 * Decodes a body. No content encoding is requested, but a gateway may compress all the same, and an
 * answer with a new refresh token must not be lost by that. An unknown coding is ignored: some servers
 * name a charset here, and whether the body is JSON is seen when it is read.
 *
 * @param encoding the Content-Encoding header: codings in the order in which they were applied
 * @param maxBytes of the decoded body: a small one may decode to a huge one
 */
export async function decodeBody(
  body: Buffer,
  encoding: string,
  maxBytes: number,
): Promise<Buffer | DecodingProblem> {
  let decoded = body;
  for (const coding of encoding.toLowerCase().split(',').toReversed()) {
    const decoder = DECODERS.get(coding.trim());
    if (decoder === undefined) continue;
    try {
      decoded = await decoder(decoded, { maxOutputLength: maxBytes });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? 'too-large'
        : 'undecodable';
    }
  }
  return decoded;
}
