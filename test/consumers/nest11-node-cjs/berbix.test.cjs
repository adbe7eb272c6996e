'use strict';
const { test } = require('node:test');
const common = require('@nestjs/common');
const swagger = require('@nestjs/swagger');
const testing = require('@nestjs/testing');
const berbix = require('nestjs-berbix');
const sandbox = require('nestjs-berbix/sandbox');
const indicator = require('nestjs-berbix/terminus');
const terminus = require('@nestjs/terminus');
const { check } = require('./check.cjs');
const { checkHealth } = require('./check-health.cjs');
const { checkSchemas } = require('./check-schemas.cjs');

test('works', () => check({ berbix, sandbox, testing }));
test('tells its health to Terminus 11', () =>
  checkHealth({
    berbix,
    terminus,
    indicator,
    testing,
    degraded: { status: 'up', degraded: true },
  }));
test('describes its classes to Swagger 11', () =>
  checkSchemas({ berbix, common, swagger, testing }));
