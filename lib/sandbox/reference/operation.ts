import type { Example, RequestBody, Response } from './openapi.js';
import { ref } from './schema.js';

/** A body in JSON. Each example is one that the sandbox takes. */
export function takes(schema: string, examples: Record<string, Example>): RequestBody {
  return { required: true, content: { 'application/json': { schema: ref(schema), examples } } };
}

/** 200 and a body in JSON, as in the example or as the examples of its members say. */
export function answers(
  description: string,
  schema: string,
  example?: object,
): Record<string, Response> {
  const examples = example && { examples: { answer: { value: example } } };
  return {
    200: { description, content: { 'application/json': { schema: ref(schema), ...examples } } },
  };
}

/** 204 and no body. */
export function answersNothing(description: string): Record<string, Response> {
  return { 204: { description } };
}
