import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { globalAgent } from 'node:https';
import { Client } from 'berbix';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import type { BerbixSandbox, BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { closeAfterTest } from '../../support/closing.js';
import { servicesFor, startSandbox, type Services } from '../../support/services.js';

export interface Both {
  sandbox: BerbixSandbox;
  theirs: Client;
  /** A client for the same sandbox, over plain HTTP. */
  ours: Services;
}

/** A sandbox with the official client beside ours. */
export async function startBoth(
  sandboxOptions?: BerbixSandboxOptions,
  options?: Partial<BerbixModuleOptions>,
): Promise<Both> {
  const sandbox = await startSandbox({ ...sandboxOptions, tls: true });
  return {
    sandbox,
    theirs: officialClientOf(sandbox),
    ours: await servicesFor(sandbox, options),
  };
}

/** The official client of a sandbox with TLS, for one test. */
export function officialClientOf(sandbox: BerbixSandbox): Client {
  // The SDK has no option for an agent: it uses the global one.
  globalAgent.options.ca = readFileSync(sandbox.ca as string);
  closeAfterTest(() => {
    // Not undefined: the options of an agent override those of a request, even if they are undefined.
    delete globalAgent.options.ca;
    globalAgent.destroy();
  });
  return new Client({ apiSecret: sandbox.apiSecret, apiHost: sandbox.tlsUrl as string });
}

export interface ChildResult {
  /** The exit code of the process; 0 means success. */
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
