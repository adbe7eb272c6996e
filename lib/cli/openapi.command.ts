import { writeFile } from 'node:fs/promises';
import { createReferenceDocument } from '../sandbox/openapi/document.js';
import { PLACEHOLDERS } from '../sandbox/openapi/model.js';
import { parseFlags, SWITCH, TEXT } from './parse-flags.js';

const OPENAPI_USAGE = `Usage: nestjs-berbix openapi [options]

Writes an OpenAPI document of the API. A running sandbox serves the same document,
with working examples, at /reference/openapi.json.

Options:
  --out FILE  the file to write; standard output by default
  --help      show this help
`;

/**
 * `nestjs-berbix openapi`: the document for client generators, mocks and gateways.
 *
 * @returns 0 if it was written, 1 if that failed, 2 for invalid flags
 */
export async function openapiCommand(args: string[]): Promise<number> {
  const parsed = parseFlags(args, { out: TEXT, help: SWITCH });
  if ('problem' in parsed) {
    process.stderr.write(`${parsed.problem}\n\n${OPENAPI_USAGE}`);
    return 2;
  }
  const { out, help } = parsed.flags;
  if (help) {
    process.stdout.write(OPENAPI_USAGE);
    return 0;
  }
  const document = createReferenceDocument(PLACEHOLDERS);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return 0;
  }
  try {
    await writeFile(out, text);
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}
