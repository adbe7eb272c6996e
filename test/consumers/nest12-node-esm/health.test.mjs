import { test } from 'node:test';
import * as testing from '@nestjs/testing';
import * as terminus from '@nestjs/terminus';
import * as berbix from 'nestjs-berbix';
import * as indicator from 'nestjs-berbix/terminus';
import { checkHealth } from './check-health.cjs';

test('tells its health to Terminus 12', () =>
  checkHealth({ berbix, terminus, indicator, testing, degraded: { status: 'degraded' } }));
