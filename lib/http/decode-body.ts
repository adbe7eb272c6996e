import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS = new Map<string, Decoder>([
  ['gzip', promisify(gunzip) as Decoder],
  ['x-gzip', promisify(gunzip) as Decoder],
  ['deflate', promisify(inflate) as Decoder],
  ['br', promisify(brotliDecompress) as Decoder],
]);

/** Why a body cannot be decoded. */
export type DecodingProblem = 'too-large' | 'undecodable';

/**
 * Decodes a body. A request asks for no encoding, but a gateway may compress the answer anyway, and
 * an answer with a new refresh token must not be lost. Unknown encodings are ignored: some servers
 * send a charset here, and parsing shows whether the body is JSON.
 *
 * @param encoding the Content-Encoding header, with encodings in the order in which they were
 * applied
 * @param maxBytes limit of the decoded body: a small body may decode to a huge one
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
