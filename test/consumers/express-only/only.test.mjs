import { throws } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

test('the other platform is not installed', () => {
  const { resolve } = createRequire(import.meta.url);
  throws(() => resolve('@nestjs/platform-fastify'), { code: 'MODULE_NOT_FOUND' });
});
