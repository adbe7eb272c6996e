import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import type { CodeSample, OpenApiDocument } from '../../../lib/sandbox/openapi/model.js';
import { temporaryDirectory } from '../../support/directories.js';
import { readAll } from './raw-client.js';
import { type Route, routesOf } from './reference.js';

/** The operations of the API in an order in which each one can follow the one before. */
export const LIFE = [
  'createTransaction',
  'refreshTokens',
  'fetchTransaction',
  'overrideTransaction',
  'updateTransaction',
  'deleteTransaction',
];

/** The operations that have samples, and these; the document has current tokens each time it is read. */
export async function sampledRoutes({ url }: { url: string }): Promise<Sampled[]> {
  const answer = await fetch(`${url}/reference/openapi.json`);
  const routes = routesOf((await answer.json()) as OpenApiDocument);
  return routes.flatMap((route) => {
    const samples = route.operation['x-codeSamples'];
    return samples === undefined ? [] : { ...route, samples };
  });
}

export interface Sampled extends Route {
  samples: CodeSample[];
}

/** The operation of this sandbox, and its sample in a language. */
export async function sampleOf(
  sandbox: { url: string },
  operationId: string,
  label: string,
): Promise<{ route: Route; source: string }> {
  const routes = await sampledRoutes(sandbox);
  const route = routes.find(({ operation }) => operation.operationId === operationId);
  const source = route?.samples.find((sample) => sample.label === label)?.source;
  if (!route || source === undefined) throw new Error(`no ${label} for ${operationId}`);
  return { route, source };
}

/** What the sandbox answered to the operation, in order. */
export function statusesOf(sandbox: BerbixSandbox, { method, path }: Route): unknown[] {
  return sandbox.requests.to(method, path).map(({ status }) => status);
}

/** A folder with what the samples need: packages of npm, a photo and a barcode. */
export function sampleFolder(): string {
  const folder = temporaryDirectory();
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'front.jpg'), 'a photo');
  writeFileSync(join(folder, 'barcode.bin'), 'a barcode');
  return folder;
}

/** Runs a program until it ends. */
export async function run(
  program: string,
  args: string[],
  options: { cwd: string; env?: Record<string, string | undefined>; input?: string },
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const { cwd, env, input = '' } = options;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
  // It may end before it has read this.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    readAll(child.stdout),
    readAll(child.stderr),
  ]);
  return { code, stdout, stderr };
}
