import { createServer, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { listening } from './services.js';

/**
 * An API over TLS that gives every exchange the same answer.
 *
 * @returns its URL by address, and for each request the common name of the client's certificate, and
 * that of its issuer if the client sent the certificate of that too
 */
export async function startTokenApi(
  options: ServerOptions,
): Promise<{ url: string; clients: unknown[]; issuers: unknown[] }> {
  const issuers: unknown[] = [];
  const clients: unknown[] = [];
  const server = createServer(options, (request, response) => {
    const { subject, issuerCertificate } = (request.socket as TLSSocket).getPeerCertificate(true);
    clients.push(subject?.CN);
    issuers.push(issuerCertificate?.subject.CN);
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end('{"access_token":"a","client_token":"c","expires_in":60}');
  });
  server.on('tlsClientError', () => {});
  return { url: (await listening(server)).replace('http:', 'https:'), clients, issuers };
}
