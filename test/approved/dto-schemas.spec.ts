import { expect, it } from '@jest/globals';
import { schemasOfApplication } from '../support/dto-schemas.js';
import { expectApproved } from './support/approved.js';

/**
 * A line for each value; a list of texts is one line. In the order of names: the package keeps what it
 * knows of a class for the whole process, in the order in which it was asked.
 */
function outline(value: object, indent = ''): string[] {
  const entries = Array.isArray(value) ? Object.entries(value) : byName(value);
  return entries.flatMap(([key, part]) => {
    if (typeof part !== 'object' || part === null) return [`${indent}${key}: ${part}`];
    if (Array.isArray(part) && part.every((item) => typeof item === 'string')) {
      return [`${indent}${key}: [${part.join(', ')}]`];
    }
    return [`${indent}${key}:`, ...outline(part, `${indent}  `)];
  });
}

function byName(value: object): [string, unknown][] {
  return Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

it('the schemas of the DTO classes for @nestjs/swagger are those approved', async () => {
  const schemas = await schemasOfApplication();
  const names = Object.keys(schemas).toSorted();
  const texts = names.map((name) => outline({ [name]: schemas[name] }).join('\n'));
  expect(names.length).toBeGreaterThan(12);
  expectApproved('dto-schemas.txt', `${texts.join('\n\n')}\n`);
});
