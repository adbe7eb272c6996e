import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';
import { BerbixConfigurationError } from '../errors/index.js';

/**
 * What TLS connections use instead of the defaults. Contexts, since a list of authorities would be
 * parsed anew for each connection, which takes longer than the handshake.
 */
export interface TlsSettings {
  /** For the API: whom to trust, and the client certificate. */
  readonly api?: SecureContext | undefined;
  /** For a proxy: only whom to trust. */
  readonly proxy?: SecureContext | undefined;
}

/** The options with PEM text; their checks assume nothing of the values. */
type PemOptions = { readonly [Option in 'ca' | 'extraCa' | 'cert' | 'key']?: unknown };

/** Newer versions of Node.js list the authorities of their flags and variables too. */
type ListAuthorities = ((type: 'default') => string[]) | null;

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * Reads the certificates and the key.
 *
 * @throws {BerbixConfigurationError} that names the option; it quotes nothing of its value (I10)
 */
export function tlsSettings(http: PemOptions): TlsSettings {
  const replaced = certificates('http.ca', http.ca);
  const added = certificates('http.extraCa', http.extraCa);
  const identity = clientIdentity(http.cert, http.key);
  const trusted =
    added === undefined ? replaced : [...(replaced ?? defaultAuthorities()), ...added];
  const ca = trusted?.map(String);
  const trust = ca === undefined ? undefined : createContext('http.ca', { ca });
  return {
    api: identity === undefined ? trust : createContext('http.cert', { ...identity, ca }),
    proxy: trust,
  };
}

/**
 * The authorities that are trusted by default, as PEM.
 *
 * @param list as in Node.js 22.15 and later; with null, they are the ones that come with Node.js, and
 * those of `NODE_EXTRA_CA_CERTS`
 */
export function defaultAuthorities(
  list = (tls as { getCACertificates?: ListAuthorities }).getCACertificates ?? null,
): string[] {
  if (list !== null) return list('default');
  const { NODE_EXTRA_CA_CERTS: path } = process.env;
  return [...tls.rootCertificates, ...(path ? certificatesIn(path) : [])];
}

/** Node.js itself only warns if it cannot read the file. */
function certificatesIn(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').match(CERTIFICATES) ?? [];
  } catch {
    return [];
  }
}

/** Each certificate of a PEM text; Node.js would ignore one that it cannot read. */
function certificates(option: string, value: unknown): X509Certificate[] | undefined {
  if (value === undefined) return undefined;
  const found = pemText(value)?.match(CERTIFICATES);
  if (found === null || found === undefined) {
    throw new BerbixConfigurationError(
      `${option} must be a certificate as PEM text: the content of the file, not its path.`,
    );
  }
  return found.map((text, index) => {
    try {
      return new X509Certificate(text);
    } catch {
      throw new BerbixConfigurationError(
        `Certificate ${index + 1} of ${found.length} in ${option} cannot be read. Is the PEM text complete?`,
      );
    }
  });
}

/** The certificate of this client, with its key, which must belong together. */
function clientIdentity(cert: unknown, key: unknown): SecureContextOptions | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    throw new BerbixConfigurationError(
      `http.${given} needs http.${missing}: a client certificate and its private key are set together.`,
    );
  }
  const chain = certificates('http.cert', cert) ?? [];
  const privateKey = readPrivateKey(key);
  if (chain[0]?.checkPrivateKey(privateKey) !== true) {
    throw new BerbixConfigurationError(
      'http.key is not the private key of the first certificate in http.cert. After that one come those of the authorities that issued it, if any.',
    );
  }
  return {
    cert: chain.join(''),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function readPrivateKey(value: unknown): ReturnType<typeof createPrivateKey> {
  const text = pemText(value);
  if (text === undefined || !PRIVATE_KEY.test(text)) {
    throw new BerbixConfigurationError(
      'http.key must be a private key as PEM text: the content of the file, not its path.',
    );
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw new BerbixConfigurationError(
      text.includes('ENCRYPTED')
        ? 'http.key is encrypted with a passphrase. Decrypt it, for example with `openssl pkey`.'
        : 'http.key cannot be read as a private key. Is the PEM text complete?',
    );
  }
}

function createContext(option: string, options: SecureContextOptions): SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new BerbixConfigurationError(`OpenSSL does not accept ${option} (${code}).`);
  }
}

function pemText(value: unknown): string | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined;
}
