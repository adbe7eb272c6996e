import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: Record<string, Decoder> = {
  gzip: promisify(gunzip) as Decoder,
  'x-gzip': promisify(gunzip) as Decoder,
  deflate: promisify(inflate) as Decoder,
  br: promisify(brotliDecompress) as Decoder,
};

/** Why a body cannot be read. */
export type DecodingProblem = 'too-large' | 'undecodable';

/**
 * Decodes a body. No content encoding is requested, but a gateway may compress all the same, and an
 * answer with a new refresh token must not be lost by that.
 *
 * @param encoding the Content-Encoding header
 * @param maxBytes of the decoded body: a small one may decode to a huge one
 */
export async function decodeBody(
  body: Buffer,
  encoding: string,
  maxBytes: number,
): Promise<Buffer | DecodingProblem> {
  const decoder = DECODERS[encoding.trim().toLowerCase()];
  if (decoder === undefined) return 'undecodable';
  try {
    return await decoder(body, { maxOutputLength: maxBytes });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'too-large'
      : 'undecodable';
  }
}
