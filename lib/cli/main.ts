#!/usr/bin/env node
import { VERSION } from '../version.js';

/** Runs with the arguments after its name; resolves with the exit code when it is done. */
type Command = (args: string[]) => Promise<number>;

/** Loaded when called: nobody waits for Nest to read the version. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  sandbox: {
    summary: 'start a local Berbix to develop and test against',
    load: async () => (await import('./sandbox.command.js')).sandboxCommand,
  },
  refresh: {
    summary: 'exchange the refresh token on standard input',
    load: async () => (await import('./refresh.command.js')).refreshCommand,
  },
  're-encrypt': {
    summary: 're-encrypt stored tokens with the current key',
    load: async () => (await import('./re-encrypt.command.js')).reEncryptCommand,
  },
  openapi: {
    summary: 'write the API as an OpenAPI document',
    load: async () => (await import('./openapi.command.js')).openapiCommand,
  },
  'token-table': {
    summary: 'write the SQL of the PostgreSQL table for tokens',
    load: async () => (await import('./token-table.command.js')).tokenTableCommand,
  },
};

const USAGE = `Usage: nestjs-berbix <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}`)
  .join('\n')}

Options:
  --help     show this help, or the options of a command
  --version  show the version
`;

async function main([name = '', ...args]: string[]): Promise<number> {
  if (name === '--version') return print(VERSION + '\n');
  if (name === '--help') return print(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return (await command.load())(args);
  process.stderr.write(`${problemOf(name)}\n\n${USAGE}`);
  return 2;
}

/** What is no name is not quoted: it may be a token that was to be refreshed. */
function problemOf(name: string): string {
  if (name === '') return 'Name a command.';
  return /^[a-z-]{1,20}$/i.test(name)
    ? `There is no command "${name}".`
    : 'The first argument is not a command.';
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

// As in `| head`: who read has gone, which needs no stack trace. What was to be read is missing.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exitCode = 1;
  if (code !== 'EPIPE') process.stderr.write(`Standard output cannot be written (${code}).\n`);
});

main(process.argv.slice(2)).then(
  (code) => (process.exitCode ||= code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  },
);
