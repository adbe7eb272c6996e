import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { StringDecoder } from 'node:string_decoder';

/** An answer, as far as it was sent. */
export interface RecordedResponse {
  /** Those that the sandbox sets; names are in lower case. */
  readonly headers: OutgoingHttpHeaders;
  /** The first 65,536 characters of a text; empty for images and the like. */
  readonly body: string;
}

const MAX_CHARACTERS = 64 * 1024;
/** A character of UTF-16 has at most three bytes in UTF-8. */
const MAX_BYTES = 3 * MAX_CHARACTERS;
const TEXT = /^text\/|[/+](?:json|xml|javascript|x-www-form-urlencoded)\b/i;

/** Keeps the beginning of what is written to a response, without a copy of it. */
export class ResponseRecorder {
  readonly #chunks: (string | Buffer)[] = [];
  /** Bytes; of text, the characters, which are at least as many bytes. */
  #size = 0;

  constructor(private readonly response: ServerResponse) {
    // Nothing that is written has a body then.
    if (response.req.method === 'HEAD') return;
    for (const name of ['write', 'end'] as const) {
      const original = response[name] as (...args: unknown[]) => unknown;
      response[name] = ((...args: unknown[]) => {
        this.#keep(args[0], args[1]);
        return Reflect.apply(original, response, args);
      }) as never;
    }
  }

  /** What was sent; `undefined` without a head. */
  read(): RecordedResponse | undefined {
    const { response } = this;
    if (!response.headersSent) return undefined;
    const type = response.getHeader('content-type');
    const isText = typeof type === 'string' && TEXT.test(type);
    return { headers: response.getHeaders(), body: isText ? this.#text() : '' };
  }

  #keep(chunk: unknown, encoding: unknown): void {
    if (this.#size >= MAX_BYTES) return;
    const kept = chunkOf(chunk, encoding);
    if (kept === undefined) return;
    this.#chunks.push(kept);
    this.#size += kept.length;
  }

  /** A character may be spread over chunks, or cut off. */
  #text(): string {
    const decoder = new StringDecoder();
    const parts = this.#chunks.map((chunk) =>
      typeof chunk === 'string' ? chunk : decoder.write(chunk),
    );
    return parts.join('').slice(0, MAX_CHARACTERS);
  }
}

/** The chunk of `write` or `end`, which may have a callback in its place. */
function chunkOf(chunk: unknown, encoding: unknown): string | Buffer | undefined {
  if (chunk instanceof Uint8Array) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (typeof chunk !== 'string') return undefined;
  const isUtf8 = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
  return isUtf8 ? chunk : Buffer.from(chunk, encoding as BufferEncoding);
}
