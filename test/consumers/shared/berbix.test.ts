// For Jest and Vitest, with the globals that both have.
import * as testing from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import * as sandbox from 'nestjs-berbix/sandbox';
import { check } from './check.cjs';

describe('nestjs-berbix as published', () => {
  it('works', async () => {
    await expect(check({ berbix, sandbox, testing })).resolves.toBeUndefined();
  });
});
