import { expect, it } from '@jest/globals';
import { schemasOfApplication } from '../support/dto-schemas.js';
import { expectApproved } from './support/approved.js';

/** A line for each value; a list of texts is one line. */
function outline(value: object, indent = ''): string[] {
  return Object.entries(value).flatMap(([key, part]) => {
    if (typeof part !== 'object' || part === null) return [`${indent}${key}: ${part}`];
    if (Array.isArray(part) && part.every((item) => typeof item === 'string')) {
      return [`${indent}${key}: [${part.join(', ')}]`];
    }
    return [`${indent}${key}:`, ...outline(part, `${indent}  `)];
  });
}

it('the schemas of the DTO classes for @nestjs/swagger are those approved', async () => {
  const schemas = await schemasOfApplication();
  const names = Object.keys(schemas).toSorted();
  const texts = names.map((name) => outline({ [name]: schemas[name] }).join('\n'));
  expect(names.length).toBeGreaterThan(12);
  expectApproved('dto-schemas.txt', `${texts.join('\n\n')}\n`);
});
