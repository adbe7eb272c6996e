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
 * The bytes of a body as they were before the content encoding. None is asked for, and a gateway may
 * compress all the same: an answer that has a new refresh token must not be lost by that.
 *
 * @param encoding the Content-Encoding header
 * @param maxBytes of what comes out; a small body may become a huge one
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
