import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { globalAgent } from 'node:https';
import { createRequire } from 'node:module';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { closeAfterTest, servicesFor, startSandbox, type Services } from '../support/services.js';

/** What we use of `berbix` 2.0.0, which has no types of its own. */
export interface OfficialTokens {
  refreshToken?: string;
  accessToken?: string;
  clientToken?: string;
  expiry?: number;
  transactionId?: number;
  response?: Record<string, unknown>;
  needsRefresh(): boolean;
}

type Call = (tokens: OfficialTokens, params: object) => Promise<unknown>;

export interface OfficialClient {
  createTransaction(options: object): Promise<OfficialTokens>;
  createHostedTransaction(options: object): Promise<{ tokens: OfficialTokens; hostedUrl?: string }>;
  createApiOnlyTransaction(options: object): Promise<OfficialTokens>;
  refreshTokens(tokens: OfficialTokens): Promise<OfficialTokens>;
  fetchTransaction(tokens: OfficialTokens): Promise<Record<string, unknown>>;
  deleteTransaction(tokens: OfficialTokens): Promise<unknown>;
  updateTransaction: Call;
  uploadImages: Call;
  validateSignature(secret: string, body: string, header: string | undefined): boolean;
}

interface OfficialSdk {
  Client: {
    new (options: {
      apiSecret?: string;
      apiHost: string;
      httpClientOpts?: { timeoutMs: number };
    }): OfficialClient;
    prototype: OfficialClient;
  };
  Tokens: { fromRefresh(refreshToken: string | undefined): OfficialTokens };
}

/** The official Node SDK, unmodified. */
export const sdk = createRequire(import.meta.url)('berbix') as OfficialSdk;

export interface Both {
  sandbox: BerbixSandbox;
  theirs: OfficialClient;
  /** Talks to the same sandbox, over plain HTTP. */
  ours: Services;
}

/** A sandbox with the official client beside ours. */
export async function startBoth(
  sandboxOptions?: BerbixSandboxOptions,
  options?: Partial<BerbixModuleOptions>,
): Promise<Both> {
  const sandbox = await startSandbox({ ...sandboxOptions, tls: true });
  // The SDK offers no way to an agent of its own: it uses the global one.
  globalAgent.options.ca = readFileSync(sandbox.ca as string);
  closeAfterTest(async () => {
    // Not set to undefined: the options of an agent win over those of a request, also when empty.
    delete globalAgent.options.ca;
    globalAgent.destroy();
  });
  return {
    sandbox,
    theirs: new sdk.Client({
      apiSecret: sandbox.apiSecret,
      apiHost: sandbox.tlsUrl as string,
    }),
    ours: await servicesFor(sandbox, options),
  };
}

/** What somebody rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (reason) {
    return reason;
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}

export interface ChildResult {
  /** Of the process; 0 is a good end. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs code with the official SDK in a process of its own, where it may crash or leave sockets open.
 *
 * @param code may use `berbix`, `https`, `host` and `options`, and `await`
 */
export function inChild(
  code: string,
  host: string,
  { ca, ...options }: { ca?: string | undefined; apiSecret?: string; templateKey?: string } = {},
): Promise<ChildResult> {
  const program = `
    const berbix = require('berbix');
    const https = require('node:https');
    const [host, options] = [process.env.BERBIX_HOST, JSON.parse(process.env.BERBIX_OPTIONS)];
    (async () => { ${code} })();`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    BERBIX_HOST: host,
    BERBIX_OPTIONS: JSON.stringify({ customerUid: 'ada', ...options }),
    ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }),
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-e', program],
      { env, encoding: 'utf8' },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
