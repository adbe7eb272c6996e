import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import { createCertificateAuthority } from '../../lib/sandbox/http/certificate-authority.js';
import { PLATFORMS } from '../support/platforms.js';
import { startSandboxOn } from '../support/services.js';
import { until } from '../support/until.js';
import { RawClient } from './support/raw-client.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await promisify(server.close.bind(server))();
  return port;
}

describe.each(PLATFORMS)('HTTPS on %s', (platform) => {
  it('has its own certificate authority', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    expect(sandbox.tlsUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(Object.keys(sandbox.ready())).toEqual([
      'url',
      'tlsUrl',
      'ca',
      'apiSecret',
      'liveApiSecret',
      'templateKeys',
      'webhookSecrets',
    ]);
    const secure = new RawClient(sandbox, sandbox.apiSecret, true);
    const created = await secure.create();
    expect(created.status).toBe(200);
    // One sandbox, two doors.
    expect((await new RawClient(sandbox).refresh(created.json.refresh_token)).status).toBe(200);
    expect(sandbox.requests.length).toBe(2);
  });

  it('has a certificate for all names of this machine, and no key on the disk', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    const ca = readFileSync(sandbox.ca ?? '', 'utf8');
    const authority = new X509Certificate(ca);
    expect(authority.ca).toBe(true);
    expect(authority.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    // Basic constraints with a path length of 0: it issues no further authority.
    expect(authority.raw.includes(Buffer.from('30060101ff020100', 'hex'))).toBe(true);
    expect(authority.subject).toBe('CN=nestjs-berbix sandbox authority');
    expect(authority.issuer).toBe(authority.subject);
    // It signs certificates only, and says which key it has.
    expect(authority.raw.includes(Buffer.from('0603551d0f0101ff040403020204', 'hex'))).toBe(true);
    expect(authority.raw.includes(Buffer.from('0603551d0e', 'hex'))).toBe(true);
    // For a clock that is slow, and not for longer than any run.
    const dayMs = 86_400_000;
    expect(Date.now() - Date.parse(authority.validFrom)).toBeGreaterThanOrEqual(dayMs - 1000);
    expect(Date.parse(authority.validTo) - Date.parse(authority.validFrom)).toBe(31 * dayMs);
    for (const servername of ['localhost', '127.0.0.1', '::1']) {
      const port = Number(new URL(sandbox.tlsUrl ?? '').port);
      const checked = servername === 'localhost' ? { servername } : {};
      const socket = connect({
        host: '127.0.0.1',
        port,
        ca,
        ...checked,
        checkServerIdentity: (_, certificate) => {
          const own = new X509Certificate(certificate.raw);
          expect(own.verify(authority.publicKey)).toBe(true);
          expect([own.subject, own.issuer, own.ca]).toEqual([
            'CN=localhost',
            authority.subject,
            false,
          ]);
          expect([own.validFrom, own.validTo]).toEqual([authority.validFrom, authority.validTo]);
          // For servers, which sign, under the key of the authority.
          expect(own.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
          expect(own.raw.includes(Buffer.from('0603551d0f0101ff040403020780', 'hex'))).toBe(true);
          expect(own.raw.includes(Buffer.from('0603551d23', 'hex'))).toBe(true);
          const names = certificate.subjectaltname ?? '';
          expect(names).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
          return undefined;
        },
      });
      await once(socket, 'secureConnect');
      expect(socket.authorized).toBe(true);
      socket.destroy();
    }
    const directory = dirname(sandbox.ca ?? '');
    expect(readdirSync(directory)).toEqual(['ca.pem']);
    expect(ca).not.toContain('PRIVATE');
    await sandbox.close();
    expect(existsSync(directory)).toBe(false);
  });

  it('keeps idle connections longer than clients do, as without TLS', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    for (const tls of [false, true]) {
      const client = new RawClient(sandbox, sandbox.apiSecret, tls);
      const headers = { connection: 'keep-alive' };
      const answer = await client.send('GET', '/sandbox/clock', { headers });
      expect(answer.headers['keep-alive']).toBe('timeout=120');
    }
  });

  it('tells its clients over HTTP from those that use the same port over HTTPS', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    const { port, hostname: host } = new URL(sandbox.url);
    const tlsPort = Number(new URL(sandbox.tlsUrl ?? '').port);
    const localPort = await freePort();
    const plain = connectPlain({ host, port: Number(port), localPort });
    await once(plain, 'connect');
    const raw = connectPlain({ host, port: tlsPort, localPort });
    const secure = connect({ socket: raw, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    expect(raw.localPort).toBe(localPort);

    sandbox.faults.add({ kind: 'hang', path: '/v0/tokens' });
    secure.write(`POST /v0/tokens HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`);
    await until(() => sandbox.faults.pending.length === 0);
    sandbox.faults.add({ kind: 'reset', path: '/v0/transactions' });
    const reset = once(plain, 'error');
    const securely = jest.fn();
    secure.once('error', securely).once('close', securely);
    plain.write(`GET /v0/transactions HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(securely).not.toHaveBeenCalled();

    const another = connectPlain({ host, port: Number(port), localPort });
    await once(another, 'connect');
    sandbox.faults.add({ kind: 'hang', path: '/v0/tokens' });
    another.write(`POST /v0/tokens HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`);
    await until(() => sandbox.faults.pending.length === 0);
    const closed = [once(another, 'close'), once(secure, 'close')];
    await sandbox.close();
    await Promise.all(closed);
  });

  it('closes during a handshake', async () => {
    const sandbox = await startSandboxOn(platform, { tls: true });
    const socket = connectPlain(Number(new URL(sandbox.tlsUrl ?? '').port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await sandbox.close();
    await expect(closed).resolves.toBeDefined();
  });
});

it('says what to install for HTTPS', async () => {
  const missing = Object.assign(new Error("Cannot find package '@peculiar/x509' imported from x"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  await expect(createCertificateAuthority([], () => Promise.reject(missing))).rejects.toMatchObject(
    {
      message: expect.stringContaining('npm install --save-dev @peculiar/x509'),
      cause: missing,
    },
  );
  const broken = new Error('broken');
  await expect(createCertificateAuthority([], () => Promise.reject(broken))).rejects.toBe(broken);
});
