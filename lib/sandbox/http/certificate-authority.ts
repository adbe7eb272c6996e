import { KeyObject, webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importOptional } from './packages.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** Key and certificate of the HTTPS server, in PEM; the key is never written to disk. */
export interface ServerCertificate {
  key: string;
  cert: string;
}

/** The authority of this run, and the certificate that it issued. */
export interface CertificateAuthority {
  /** Path of the authority's certificate in PEM, for `NODE_EXTRA_CA_CERTS` and the like. */
  caPath: string;
  server: ServerCertificate;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Creates an authority, and a certificate for the names.
 *
 * @param names domain names and IP addresses, the latter without brackets
 * @throws {Error} that says what to install if `@peculiar/x509` is missing
 */
export async function createCertificateAuthority(
  names: readonly string[],
  load: () => Promise<X509> = importX509,
): Promise<CertificateAuthority> {
  const { ca, server } = await issue(await loadX509(load), names);
  const directory = await mkdtemp(join(tmpdir(), 'nestjs-berbix-sandbox-'));
  const caPath = join(directory, 'ca.pem');
  await writeFile(caPath, ca);
  return { caPath, server, remove: () => rm(directory, { recursive: true, force: true }) };
}

type X509 = typeof import('@peculiar/x509');

async function importX509(): Promise<X509> {
  return import('@peculiar/x509');
}

function loadX509(load: () => Promise<X509>): Promise<X509> {
  return importOptional('@peculiar/x509', load, 'for HTTPS', 'start it without tls');
}

async function issue(
  x509: X509,
  names: readonly string[],
): Promise<{ ca: string; server: ServerCertificate }> {
  const validity = validityFrom(Date.now());
  const [caKeys, serverKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity,
      name: 'CN=nestjs-berbix sandbox authority',
      keys: caKeys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        // For server certificates only, not for further authorities.
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const server = await x509.X509CertificateGenerator.create(
    {
      ...validity,
      subject: 'CN=localhost',
      issuer: ca.subject,
      publicKey: serverKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const key = KeyObject.from(serverKeys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { ca: ca.toString('pem'), server: { key: key.toString(), cert: server.toString('pem') } };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** In real time, not by the clock of the sandbox, since clients check it. */
function validityFrom(now: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 30 * DAY_MS) };
}
