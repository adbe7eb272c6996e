import { createServer } from 'node:http';
import { listening } from '../../support/services.js';

/** An OpenTelemetry collector, for one test. */
export interface Collector {
  url: string;
  /** Everything that it received, or what it received on a path. */
  received(path?: string): string;
}

export async function startCollector(): Promise<Collector> {
  const requests: [path: string | undefined, body: string][] = [];
  const url = await listening(
    createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        requests.push([request.url, body]);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    }),
  );
  const received = (path?: string): string =>
    requests.flatMap(([to, body]) => (path === undefined || to === path ? body : [])).join('\n');
  return { url, received };
}
