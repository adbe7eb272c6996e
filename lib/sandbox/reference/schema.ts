import type { ReferenceTo, Schema, ValueSchema } from './openapi.js';

type Details = Omit<ValueSchema, 'type'>;

/** Members that have to be there: leaving one out, or naming another, does not compile. */
type RequiredMember<Shape> = {
  [Name in keyof Shape]-?: undefined extends Shape[Name] ? never : Name;
}[keyof Shape];

/**
 * An object as lib/wire declares it: it has a schema for each member, and the members that need not
 * be there are not among the required ones.
 */
export function object<Shape>(
  properties: { [Name in keyof Required<Shape>]: Schema },
  required: readonly (RequiredMember<Shape> & string)[],
  description?: string,
): ValueSchema {
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties,
    ...(required.length > 0 && { required }),
  };
}

export function string(details: Details = {}): ValueSchema {
  return { type: 'string', ...details };
}

export function boolean(details: Details = {}): ValueSchema {
  return { type: 'boolean', ...details };
}

/** One of a closed set of words. */
export function oneOf(words: readonly string[], details: Details = {}): ValueSchema {
  return string({ enum: words, ...details });
}

/** A word of an open set: those that are known, for people to read. */
export function openWord(words: readonly string[], details: Details = {}): ValueSchema {
  const known = `One of ${words.join(', ')}, or another.`;
  const description = details.description === undefined ? known : `${details.description} ${known}`;
  return string({ ...details, description });
}

export function list(items: Schema, details: Details = {}): ValueSchema {
  return { type: 'array', items, ...details };
}

/** An object whose members are all alike. */
export function recordOf(values: Schema | true, details: Details = {}): ValueSchema {
  return { type: 'object', additionalProperties: values, ...details };
}

/** The id of a transaction. [sdk: go int64] */
export function int64(details: Details = {}): ValueSchema {
  return { type: 'integer', format: 'int64', ...details };
}

/** RFC 3339. */
export function dateTime(details: Details = {}): ValueSchema {
  return string({ format: 'date-time', ...details });
}

/** A schema of the components, by its name. */
export function ref(name: string): ReferenceTo {
  return { $ref: `#/components/schemas/${name}` };
}
