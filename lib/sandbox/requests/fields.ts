import { invalidRequest } from '../errors/api.exception.js';

/** A JSON object whose members are not checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether the value is a JSON object; a list is none. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go sends `""` and Java `null` for what is not set. [sdk: go types.go, java] */
export function optionalString(body: JsonObject, name: string): string | undefined {
  const value = body[name] ?? '';
  if (typeof value !== 'string') throw invalidRequest(`${name} must be a string.`);
  return value === '' ? undefined : value;
}

/** A string that has to be there. */
export function requiredString(body: JsonObject, name: string): string {
  const value = optionalString(body, name);
  if (value === undefined) throw invalidRequest(`${name} is missing. Send it as a string.`);
  return value;
}

/** Java always sends the flag, others only when it is set. [sdk: java] */
export function optionalBoolean(body: JsonObject, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw invalidRequest(`${name} must be true or false.`);
  return value;
}

/** A list of objects that has to be there. */
export function requiredList(body: JsonObject, name: string): JsonObject[] {
  const value = body[name];
  if (Array.isArray(value) && value.every(isJsonObject)) return value;
  throw invalidRequest(`${name} must be a list of objects.`);
}

/** PHP writes an empty object as `[]`, Java sends `null` for what is not set. [sdk: php, java] */
export function optionalObject(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || isJsonObject(value)) return value;
  if (Array.isArray(value) && value.length === 0) return {};
  throw invalidRequest(`${name} must be an object.`);
}
