import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { closeAfterTest } from '../../support/closing.js';
import { until } from '../../support/until.js';

export interface PlainServer {
  url: string;
  /** The number of connections, and of those that are closed. */
  opened(): number;
  closed(): number;
  /** The number of requests, and of those that were aborted before the answer. */
  asked(): number;
  abandoned(): number;
}

/** Tokens as in an answer of the API, for a server that answers only with them. */
export const TOKEN_ANSWER = {
  transaction_id: 1234123412341234,
  access_token: 'at_1',
  client_token: 'ct_1',
  refresh_token: 'rt_1',
  expires_in: 3600,
};

/** A server for what the sandbox cannot show; without a listener, it never answers. */
export async function startServer(listener: RequestListener = () => {}): Promise<PlainServer> {
  let [opened, closed, asked, abandoned] = [0, 0, 0, 0];
  const server = createServer((request, response) => {
    asked++;
    response.on('close', () => (abandoned += response.writableEnded ? 0 : 1));
    request.resume();
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => {
    opened++;
    socket.on('close', () => closed++);
  });
  server.listen(0, '127.0.0.1');
  closeAfterTest(async () => {
    server.close();
    server.closeAllConnections();
  });
  await until(() => server.listening);
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    opened: () => opened,
    closed: () => closed,
    asked: () => asked,
    abandoned: () => abandoned,
  };
}

/** An HTTP proxy that records the requested hosts. */
export async function startProxy(tunnels: string[]): Promise<string> {
  const proxy = createServer().on('connect', (request, client, head) => {
    tunnels.push(String(request.url));
    const [host, port] = String(request.url).split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [upstream, client]) socket.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  closeAfterTest(async () => {
    proxy.close();
    proxy.closeAllConnections();
  });
  await until(() => proxy.listening);
  return `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
}
