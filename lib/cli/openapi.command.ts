import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createReferenceDocument } from '../sandbox/reference/reference-document.js';
import { PLACEHOLDERS } from '../sandbox/reference/reference-values.js';

const OPENAPI_USAGE = `Usage: nestjs-berbix openapi [options]

Writes the API as an OpenAPI document. A sandbox that runs has the same one, with
examples that work, at /reference/openapi.json.

Options:
  --out FILE  where to; standard output by default
  --help      show this
`;

/**
 * `nestjs-berbix openapi`: the document for client generators, mocks and gateways.
 *
 * @returns 0 when it is written, 1 if it cannot be, 2 for flags that cannot be used
 */
export async function openapiCommand(args: string[]): Promise<number> {
  let flags: { out?: string; help?: boolean };
  try {
    flags = parseArgs({
      args,
      options: { out: { type: 'string' }, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${OPENAPI_USAGE}`);
    return 2;
  }
  if (flags.help) {
    process.stdout.write(OPENAPI_USAGE);
    return 0;
  }
  const document = createReferenceDocument(PLACEHOLDERS);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (flags.out === undefined) {
    process.stdout.write(text);
    return 0;
  }
  try {
    await writeFile(flags.out, text);
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}
