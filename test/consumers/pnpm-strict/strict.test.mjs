import { match, throws } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { run } from './cli/run.mjs';

const ofApplication = createRequire(import.meta.url);
const ofPackage = createRequire(ofApplication.resolve('nestjs-berbix'));

test('nothing is there that is not declared', () => {
  throws(() => ofApplication.resolve('undici'), { code: 'MODULE_NOT_FOUND' });
  throws(() => ofPackage.resolve('express'), { code: 'MODULE_NOT_FOUND' });
});

test('the command line starts a sandbox', () => {
  const command = ['sandbox', 'exec', '--', 'node', '-p', 'process.env.BERBIX_API_HOST'];
  match(run('nestjs-berbix', command), /^http:\/\/127\.0\.0\.1:\d+$/m);
});
