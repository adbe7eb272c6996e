// In the environment of a sandbox: the application that `nest add` has changed, after its build.
import { equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';

const { AppModule } = await import(pathToFileURL('dist/app.module.js').href);
const app = await NestFactory.create(AppModule, { rawBody: true, logger: ['error'] });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const post = (path) => fetch(`${url}${path}`, { method: 'POST' });

const begun = await (await post('/verification')).json();
equal(typeof begun.clientToken, 'string');
equal((await post('/webhooks/berbix/status')).status, 401);
await app.close();

const { scripts, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
equal(typeof dependencies['class-validator'], 'string');
equal(scripts['start:berbix'].includes('sandbox exec'), true);
equal(readFileSync('src/main.ts', 'utf8').includes('rawBody: true'), true);
equal(readFileSync('.env.example', 'utf8').includes('BERBIX_API_SECRET='), true);
