// For plain Node.
import { strictEqual } from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as testing from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import * as sandbox from 'nestjs-berbix/sandbox';
import { check } from './check.cjs';

const require = createRequire(import.meta.url);

test('works', () => check({ berbix, sandbox, testing }));

test('is one copy, imported or required: one class, one injection token', () => {
  strictEqual(require('nestjs-berbix').BerbixTokenService, berbix.BerbixTokenService);
  strictEqual(require('nestjs-berbix/sandbox').BerbixSandbox, sandbox.BerbixSandbox);
});
