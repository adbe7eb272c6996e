#!/usr/bin/env node
import { VERSION } from '../version.js';

/** Runs with the arguments after its name; resolves to the exit code. */
type Command = (args: string[]) => Promise<number>;

/** Loaded only when needed, so that `--version` does not wait for Nest. */
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
  store: {
    summary: 'count, list, show or forget stored tokens; check the server',
    load: async () => (await import('./store/store.command.js')).storeCommand,
  },
  table: {
    summary: 'the PostgreSQL table for tokens: its SQL, status and migration',
    load: async () => (await import('./store/table.command.js')).tableCommand,
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
  process.stderr.write(`${describeProblem(name)}\n\n${USAGE}`);
  return 2;
}

/** Quotes only plausible names, since the argument may be a token (I10). */
function describeProblem(name: string): string {
  if (name === '') return 'A command is missing.';
  return /^[a-z-]{1,20}$/i.test(name)
    ? `There is no command "${name}".`
    : 'The first argument is not a command.';
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

// The reader has gone, as in `| head`. That needs no stack trace, but is not a success.
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
