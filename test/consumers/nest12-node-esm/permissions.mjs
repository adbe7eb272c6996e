import * as testing from '@nestjs/testing';
import * as berbix from 'nestjs-berbix';
import * as sandbox from 'nestjs-berbix/sandbox';
import { check } from './check.cjs';

if (process.permission.has('fs.write') || process.permission.has('child')) {
  throw new Error('The permissions are not restricted.');
}
await check({ berbix, sandbox, testing });
