import { test } from 'node:test';
import * as common from '@nestjs/common';
import * as swagger from '@nestjs/swagger';
import * as testing from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import { checkSchemas } from './check-schemas.cjs';

test('describes its classes to Swagger 12', () =>
  checkSchemas({ berbix, common, swagger, testing }));
