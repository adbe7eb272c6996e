import { text } from 'node:stream/consumers';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import {
  BerbixModule,
  BerbixTokenService,
  berbixConfig,
  isBerbixError,
  type BerbixTokens,
} from '../index.js';
import { parseFlags, SWITCH } from './parse-flags.js';

const REFRESH_USAGE = `Usage: nestjs-berbix refresh [--json] < FILE

Exchanges the refresh token on standard input once. Reads the account from the
environment: BERBIX_API_SECRET, and BERBIX_API_HOST for another host.
For the sandbox over HTTPS, set NODE_EXTRA_CA_CERTS to its CA file.

Options:
  --json   print the tokens as one line of JSON; without it they are not shown
  --help   show this help
`;

/**
 * `nestjs-berbix refresh`: one exchange from a terminal.
 *
 * @returns 0 after an exchange, 1 if it failed, 2 for flags that cannot be used
 */
export async function refreshCommand(args: string[]): Promise<number> {
  const parsed = parseFlags(args, { json: SWITCH, help: SWITCH });
  if ('problem' in parsed) {
    process.stderr.write(`${parsed.problem}\n\n${REFRESH_USAGE}`);
    return 2;
  }
  const { json, help } = parsed.flags;
  if (help) {
    process.stdout.write(REFRESH_USAGE);
    return 0;
  }
  if (process.stdin.isTTY)
    process.stderr.write('Paste the refresh token, then Enter and Ctrl+D.\n');
  // A file or a terminal ends the token with a line break.
  const refreshToken = (await text(process.stdin)).trim();
  try {
    const tokens = await exchange(refreshToken);
    process.stdout.write(json ? jsonOf(tokens) : summaryOf(tokens, refreshToken));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    // The old one may be dead, so this one must not be lost.
    const saved = isBerbixError(error) ? error.tokens : undefined;
    if (saved !== undefined) process.stdout.write(`${saved.refreshToken}\n`);
    return 1;
  }
}

async function exchange(refreshToken: string): Promise<BerbixTokens> {
  const app = await NestFactory.createApplicationContext(
    BerbixModule.forRootAsync(berbixConfig.asProvider()),
    { logger: false, abortOnError: false },
  );
  try {
    return await firstValueFrom(app.get(BerbixTokenService).refresh(refreshToken));
  } finally {
    await app.close();
  }
}

function jsonOf(tokens: BerbixTokens): string {
  const { transactionId, accessToken, clientToken, refreshToken, expiresAt } = tokens;
  return `${JSON.stringify({ transactionId, accessToken, clientToken, refreshToken, expiresAt })}\n`;
}

function summaryOf(
  { transactionId, refreshToken, expiresAt }: BerbixTokens,
  before: string,
): string {
  const kept =
    refreshToken === before
      ? 'the same; keep it'
      : `replaced; store this one instead: ${refreshToken}`;
  return [
    `Exchanged. Transaction ${transactionId ?? 'not named by the API'}.`,
    `  access and client token  good until ${expiresAt?.toISOString()} (--json prints them)`,
    `  refresh token            ${kept}`,
    '',
  ].join('\n');
}
