'use strict';
const { test } = require('node:test');
const testing = require('@nestjs/testing');
const berbix = require('nestjs-berbix');
const sandbox = require('nestjs-berbix/sandbox');
const { check } = require('./check.cjs');

test('works', () => check({ berbix, sandbox, testing }));
