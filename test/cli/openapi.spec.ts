import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openapiCommand } from '../../lib/cli/openapi.command.js';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import { PLACEHOLDERS } from '../../lib/sandbox/openapi/model.js';
import { temporaryDirectory } from '../support/directories.js';
import { runCommand } from './support/run-command.js';

const run = (...args: string[]) => runCommand(openapiCommand, args);

describe('nestjs-berbix openapi', () => {
  const document = createReferenceDocument(PLACEHOLDERS);

  it('writes the document, with placeholders for the values of a sandbox', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(document);
    expect(stdout).toContain('"tpk_of_your_sdk_template"');
    expect(document.servers).toEqual([{ url: 'https://api.berbix.com' }]);
  });

  it('writes it to a file', async () => {
    const file = join(temporaryDirectory(), 'berbix.json');
    await expect(run('--out', file)).resolves.toEqual({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(document);
  });

  it('says why it cannot write the file', async () => {
    const { code, stderr } = await run('--out', join(temporaryDirectory(), 'no', 'berbix.json'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/no such file or directory/);
  });

  it('shows its usage, even for invalid flags', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: nestjs-berbix openapi/);
    const wrong = await run('--to', 'x');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^Unknown option '--to'/);
    expect(wrong.stderr).toContain(help.stdout);
  });
});
