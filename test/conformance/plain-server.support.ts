import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { closeAfterTest } from '../support/services.js';
import { until } from '../support/until.js';

export interface PlainServer {
  url: string;
  /** How many connections were made, and how many of them are closed. */
  opened(): number;
  closed(): number;
  /** How many requests arrived, and how many of them were given up before they were answered. */
  asked(): number;
  abandoned(): number;
}

/** Tokens as the API gives them, for a server that knows nothing else. */
export const TOKEN_ANSWER = {
  transaction_id: 1234123412341234,
  access_token: 'at_1',
  client_token: 'ct_1',
  refresh_token: 'rt_1',
  expires_in: 3600,
};

/** A server for what the sandbox cannot show; one that gets no listener never answers. */
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

/** An HTTP proxy that notes where it was asked to go. */
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
