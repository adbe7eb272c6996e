import { REDACTED } from '../errors/index.js';
import type { BerbixRequest } from './berbix-request.js';

/** Limit of a text from the API in a message, in characters. */
const MAX_LENGTH = 200;

/** A longer text is no reason, so it is left out. */
const MAX_QUOTING_LENGTH = 16_384;

/**
 * The fields of a body that say nothing of a person: settings of the account, and closed
 * vocabularies. All others may, so that no operation can forget one of its fields.
 */
const IMPERSONAL: ReadonlySet<string> = new Set([
  'action',
  'flags',
  'grant_type',
  'response_payload',
  'template_key',
]);

/** Makes a text from the API safe for an error message. */
export type Redact = (text: string) => string;

/**
 * Removes what an answer may quote of its request (I10): secrets, and what the body says of a
 * person, as they are or escaped in JSON or a URL. Removes control characters too, since a line
 * break could forge a log line, and shortens a long text.
 *
 * @param secrets of the authorization
 */
export function redaction(request: BerbixRequest, secrets: readonly string[]): Redact {
  const { body } = request;
  return (text) => {
    if (text.length > MAX_QUOTING_LENGTH) return '';
    if (body instanceof Uint8Array && maySayOfUpload(text, body)) return '';
    const read = unescaped(text);
    const quotes = [
      ...[...secrets, ...(request.secrets ?? [])].flatMap((secret) => quotesOf(secret, read)),
      // Only whole words: they may be short.
      ...personalIn(body).flatMap((word) => quotesOf(word, read).filter(isWholeIn(read))),
    ];
    const clean = without(quotes, text, read)
      .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
      .trim();
    return clean.length > MAX_LENGTH ? `${clean.slice(0, MAX_LENGTH)}...` : clean;
  };
}

/** A sentence may quote an upload, as it is or decoded; a name does not. */
function maySayOfUpload(text: string, body: Uint8Array): boolean {
  if (/^[a-z_]+$/.test(text)) return false;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  return !/^[\w.+/-]{1,100}$/.test(text) || bytes.includes(text);
}

/** The texts in a body that may say something of a person; none of an upload. */
function personalIn(body: object | undefined): string[] {
  if (body === undefined || body instanceof Uint8Array) return [];
  return Object.entries(body).flatMap(([name, value]) =>
    IMPERSONAL.has(name) ? [] : textsIn(value),
  );
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** A text in which all forms of a quote are the same. */
interface Unescaped {
  readonly text: string;
  /** For each character, where it begins and ends in the original. */
  readonly places: readonly (readonly [start: number, end: number])[];
}

/** The parts of a text, and what each of them means. */
type Reading = readonly [parts: RegExp, meaning: (part: string) => string];

/** Printable ASCII without a character that begins an escape, or stands for a space. */
const PLAIN = /^[ -$&-*,-[\]-~]*$/;

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** As in a URL, also more than once. */
const IN_URL: Reading = [
  /(?:%(?:25)*[\da-f]{2})+|./gisu,
  (part) =>
    part.length > 1 && part.startsWith('%')
      ? Buffer.from(part.replaceAll(/%(?:25)*(?=[\da-f]{2})/gi, ''), 'hex').toString()
      : part,
];

/** As in JSON, also more than once, so a backslash alone may belong to what follows. */
const IN_JSON: Reading = [
  /(?:\\+u[\da-f]{4})+|\\+[bfnrt]?|./gisu,
  (part) => {
    if (!part.startsWith('\\')) return part;
    const codes = part.match(/(?<=u)[\da-f]{4}/gi) ?? [];
    if (codes.length === 0) return part.endsWith('\\') ? '' : ' ';
    return String.fromCharCode(...codes.map((code) => Number.parseInt(code, 16)));
  },
];

/** Without escapes, in lower case. The same for a text and for any escaped form of it. */
function unescaped(text: string): Unescaped {
  const places = Array.from({ length: text.length }, (_, at) => [at, at + 1] as const);
  // Most are, such as the request id of each answer.
  if (PLAIN.test(text)) return { text: text.toLowerCase(), places };
  return [IN_URL, IN_JSON].reduce(readAs, { text, places });
}

function readAs({ text, places }: Unescaped, [parts, meaning]: Reading): Unescaped {
  const read: { text: string; places: (readonly [number, number])[] } = { text: '', places: [] };
  for (const { 0: part, index } of text.matchAll(parts)) {
    // Half of a surrogate pair is sent as the replacement character, and a space perhaps as a plus.
    const plain = meaning(part)
      .replaceAll(LONE_SURROGATE, '\ufffd')
      .replaceAll(/[+\p{Cc}]/gu, ' ')
      .toLowerCase();
    const place = [places[index]?.[0] ?? 0, places[index + part.length - 1]?.[1] ?? 0] as const;
    read.text += plain;
    for (let at = 0; at < plain.length; at++) read.places.push(place);
  }
  return read;
}

/** Where a text has a quote: the positions of its first character, and after its last. */
type Quote = readonly [first: number, end: number];

function quotesOf(value: string, { text }: Unescaped): Quote[] {
  const wanted = unescaped(value.trim()).text;
  const quotes: Quote[] = [];
  if (wanted === '') return quotes;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    quotes.push([at, at + wanted.length]);
  }
  return quotes;
}

function isWholeIn({ text }: Unescaped): (quote: Quote) => boolean {
  return ([first, end]) =>
    !/[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, first - 2), first)) &&
    !/^[\p{L}\p{N}]/u.test(text.slice(end, end + 2));
}

/** The original text with each quote replaced; quotes that overlap are one. */
function without(quotes: readonly Quote[], original: string, { places }: Unescaped): string {
  const ranges = quotes
    .map(([first, end]) => [places[first]?.[0] ?? 0, places[end - 1]?.[1] ?? 0] as const)
    .toSorted(([one], [other]) => one - other);
  let [clean, done] = ['', 0];
  for (const [start, end] of ranges) {
    if (start >= done) clean += original.slice(done, start) + REDACTED;
    done = Math.max(done, end);
  }
  return clean + original.slice(done);
}
