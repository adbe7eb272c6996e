import { throws } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const ofApplication = createRequire(import.meta.url);
const ofPackage = createRequire(ofApplication.resolve('nestjs-berbix'));

test('nothing is there that is not declared', () => {
  throws(() => ofApplication.resolve('undici'), { code: 'MODULE_NOT_FOUND' });
  throws(() => ofPackage.resolve('express'), { code: 'MODULE_NOT_FOUND' });
});
