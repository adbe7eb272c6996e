import { invalidRequest } from '../errors/api.exception.js';
import { type JsonObject, requiredString } from '../requests/fields.js';

/** Some encoders break lines, and the decoder of Go overlooks that. [RFC 2045 section 6.8] */
const LINE_BREAKS = /[\r\n]/g;

/**
 * A member in base64.
 *
 * @throws {ApiException} 400 unless it is there, and base64 from its beginning to its end
 */
export function requiredBase64(body: JsonObject, name: string): Buffer {
  const text = requiredString(body, name).replace(LINE_BREAKS, '');
  const content = Buffer.from(text, 'base64');
  // Node skips what is not base64; written again, it would be missing.
  if (content.length === 0 || content.toString('base64') !== text) {
    throw invalidRequest(`${name} must be base64, with padding and without a data URL around it.`);
  }
  return content;
}
