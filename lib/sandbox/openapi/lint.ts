import { PRODUCTION_HOST } from '../../wire/index.js';
import type { RecordedRequest } from '../http/request-log.js';
import { parseRequestPath } from '../http/paths.js';
import { API_SCHEMAS, apiPaths } from './api-paths.js';
import {
  type Method,
  type Operation,
  PLACEHOLDERS,
  type Schema,
  type ValueSchema,
} from './model.js';

/** What a request to lint has. */
type LintedRequest = Pick<
  RecordedRequest,
  'method' | 'path' | 'url' | 'headers' | 'body' | 'status'
>;

/** A larger body consists of images, and it would take long to parse it once more. */
const MAX_BODY_CHARACTERS = 1024 * 1024;
const MAX_NOTES = 20;
const MAX_NAME_CHARACTERS = 60;

const PATHS = apiPaths(PLACEHOLDERS);

/**
 * Where a request departs from the document although the sandbox accepts it: a sentence for each
 * departure. None for a request that was refused, since its answer says why.
 */
export function lintRequest(request: LintedRequest): string[] {
  const { method, path, status = 0 } = request;
  // As the most lenient router sees it.
  const documented = path.toLowerCase().replace(/\/$/, '');
  const operation = PATHS[documented]?.[method.toLowerCase() as Method];
  if (!operation || status < 200 || status > 299) return [];
  const notes = [
    ...notesOnTarget(request, documented),
    ...notesOnHeaders(request, operation),
    ...notesOnBody(request, operation),
  ];
  return [...new Set(notes)].slice(0, MAX_NOTES);
}

function* notesOnTarget({ url, path }: LintedRequest, documented: string): Iterable<string> {
  const start = url.indexOf(path);
  if (start > 0) {
    const prefix = named(url.slice(0, start));
    yield `The path has ${prefix} before ${path}, which ${PRODUCTION_HOST} does not have.`;
  }
  if (path !== documented) yield `The path is ${named(path)} instead of ${documented}.`;
  for (const name of new URLSearchParams(parseRequestPath(url).query).keys()) {
    yield `The query has ${named(name)}, but the operation has no parameters.`;
  }
}

function* notesOnHeaders(
  { headers, body }: LintedRequest,
  { security }: Operation,
): Iterable<string> {
  const expected = security[0]?.apiSecret ? 'Basic' : 'Bearer';
  const [scheme = ''] = (headers.authorization ?? '').split(' ', 1);
  if (scheme.toLowerCase() !== expected.toLowerCase()) {
    yield `The scheme of Authorization is ${named(scheme)} instead of ${expected}.`;
  }
  const type = headers['content-type'];
  if (body === '' || /^application\/json\s*(?:;|$)/i.test(type ?? '')) return;
  if (type === undefined) yield 'The body has no Content-Type. Send application/json.';
  else yield `The Content-Type is ${named(type)} instead of application/json.`;
}

function notesOnBody({ body }: LintedRequest, { requestBody }: Operation): Iterable<string> {
  if (body === '' || body.length > MAX_BODY_CHARACTERS) return [];
  if (!requestBody) return ['The request has a body, but the operation takes none.'];
  try {
    return departures(JSON.parse(body), requestBody.content['application/json'].schema, '');
  } catch {
    // A fault has answered instead of the API, which would have refused it.
    return [];
  }
}

/** Members that are not documented, or of another type than is documented. */
function departures(value: unknown, documented: Schema, name: string): string[] {
  const schema = resolve(documented);
  if (schema === undefined) return [];
  const types = [schema.type].flat();
  const type = typeOf(value);
  if (!types.some((expected) => expected === type)) {
    return [`The member ${named(name)} has the type ${type} instead of ${types.join(' or ')}.`];
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((item) => departures(item, items, `${name}[]`)) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { properties = {}, additionalProperties } = schema;
  return Object.entries(value).flatMap(([key, member]) => {
    const path = name === '' ? key : `${name}.${key}`;
    const known = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (known === true) return [];
    if (known) return departures(member, known, path);
    return [`The member ${named(path)} is not documented.`];
  });
}

function resolve(schema: Schema): ValueSchema | undefined {
  if ('type' in schema) return schema;
  const name = '$ref' in schema ? schema.$ref.split('/').at(-1) : undefined;
  const found = name === undefined ? undefined : API_SCHEMAS[name];
  return found && resolve(found);
}

/** As JSON Schema calls it. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** A name as it was sent, which may be anything, as long as it is short. */
function named(text: string): string {
  const short = text.length > MAX_NAME_CHARACTERS ? `${text.slice(0, MAX_NAME_CHARACTERS)}…` : text;
  return JSON.stringify(short);
}
