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

Exchanges the refresh token from standard input once. It reads the account from
the environment: BERBIX_API_SECRET, and BERBIX_API_HOST for another host.
For the sandbox over HTTPS, set BERBIX_EXTRA_CA_FILE to its CA file. BERBIX_PROXY
and the other variables of berbixConfig apply too.

Options:
  --json   print the tokens as one line of JSON; by default they are not shown
  --help   show this help
`;

/**
 * `nestjs-berbix refresh`: one exchange from a terminal.
 *
 * @returns 0 after an exchange, 1 if it failed, 2 for invalid flags
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
    process.stderr.write('Paste the refresh token, then press Enter and Ctrl+D.\n');
  // In a file or a terminal, a line break follows the token.
  const refreshToken = (await text(process.stdin)).trim();
  try {
    const tokens = await exchange(refreshToken);
    process.stdout.write(json ? formatJson(tokens) : formatSummary(tokens, refreshToken));
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The message says where a program has it.
    const told = message.replace('error.tokens.refreshToken', 'the line on standard output');
    process.stderr.write(`${told}\n`);
    // The old refresh token may be dead, so the new one must not be lost.
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

function formatJson(tokens: BerbixTokens): string {
  const { transactionId, accessToken, clientToken, refreshToken, expiresAt } = tokens;
  return `${JSON.stringify({ transactionId, accessToken, clientToken, refreshToken, expiresAt })}\n`;
}

function formatSummary(
  { transactionId, refreshToken, expiresAt }: BerbixTokens,
  before: string,
): string {
  const kept =
    refreshToken === before
      ? 'unchanged; keep it'
      : `replaced; store this one instead: ${refreshToken}`;
  return [
    `Exchanged. Transaction ${transactionId ?? 'unknown'}.`,
    `  access and client token  valid until ${expiresAt?.toISOString()} (--json prints them)`,
    `  refresh token            ${kept}`,
    '',
  ].join('\n');
}
