import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { closeAfterTest } from '../support/closing.js';
import { errorOf } from '../support/errors.js';
import { servicesFor, startSandbox, startServices } from '../support/services.js';
import { until } from '../support/until.js';

const TEN_GIGABYTES = 10 * 1024 ** 3;

describe('the size of an answer', () => {
  it('is limited: a body of 10 GB ends the call and its connection', async () => {
    const sandbox = await startSandbox();
    const { tokens } = await servicesFor(sandbox, { retry: 2 });
    sandbox.faults.add({ kind: 'flood', bytes: TEN_GIGABYTES });
    const before = process.memoryUsage().rss;
    const error = await errorOf(tokens.refresh('rt_any'));
    expect(error).toMatchObject({ code: 'BERBIX_RESPONSE', retryable: false });
    expect(error.message).toContain('larger than any answer');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2);
    expect(sandbox.requests.length).toBe(1);
  });

  it('is refused because of its Content-Length', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': TEN_GIGABYTES }).flushHeaders();
    });
    closeAfterTest(async () => {
      server.close();
      server.closeAllConnections();
    });
    server.listen(0, '127.0.0.1');
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    const { tokens } = await startServices({
      apiSecret: 'secret_test_x',
      apiHost: `http://127.0.0.1:${port}`,
      retry: 0,
    });
    expect(await errorOf(tokens.refresh('rt_any'))).toMatchObject({ code: 'BERBIX_RESPONSE' });
  });
});
