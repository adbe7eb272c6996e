import { invalidRequest } from '../errors/api.exception.js';
import { type JsonObject, requiredString } from '../requests/fields.js';

/** The one kind of barcode that the API knows. [sdk: node, java] */
export function requirePdf417(body: JsonObject, name: string): void {
  if (requiredString(body, name) !== 'pdf417') throw invalidRequest(`${name} must be pdf417.`);
}
