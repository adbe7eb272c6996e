import { readFileSync } from 'node:fs';
import { type BerbixSandboxOptions, SandboxOptionError } from '../sandbox/options.js';
import { resolveSettings } from '../sandbox/resolve-settings.js';
import { type OptionPath, type SettingFlag, SETTINGS } from '../sandbox/settings.js';
import { parseFlags, SWITCH, TEXT } from './parse-flags.js';

/** Flags of the command line only; the others belong to an option of the sandbox. */
const COMMAND_FLAGS = {
  newSecrets: {
    name: 'new-secrets',
    sets: true,
    help: 'replace the secrets, which are generated once for each user and kept from start to start',
  },
  open: { name: 'open', sets: true, help: 'open the console in the default browser' },
  json: { name: 'json', sets: true, help: 'print one line of JSON when ready, instead of text' },
  quiet: {
    name: 'quiet',
    sets: true,
    help: 'do not print requests and failed webhooks, which get one line each on standard error otherwise',
  },
  help: { name: 'help', sets: true, help: 'show this help' },
} satisfies Record<string, SettingFlag>;

/** The flags of the options, by option. */
const OPTION_FLAGS = Object.entries(SETTINGS).flatMap(([path, { flag }]) =>
  flag === undefined ? [] : [[path as OptionPath, flag as SettingFlag] as const],
);

/** All flags, in the order of the help. */
export const SANDBOX_FLAGS: readonly SettingFlag[] = [
  ...OPTION_FLAGS.map(([, flag]) => flag),
  ...Object.values(COMMAND_FLAGS),
];

/** The column of the descriptions in the help, and its width. */
const [HELP_COLUMN, HELP_WIDTH] = [27, 80];

/** The output of `nestjs-berbix sandbox --help`. */
export const SANDBOX_USAGE = `Usage: nestjs-berbix sandbox [options]

Starts a local Berbix, and prints how to reach it. To run a command with one:
nestjs-berbix sandbox exec -- npm test

Options:
${SANDBOX_FLAGS.map(describeFlag).join('\n')}
`;

/** The options of the sandbox, and what the command does besides. */
export interface SandboxRun {
  options: BerbixSandboxOptions;
  open: boolean;
  json: boolean;
  quiet: boolean;
  newSecrets: boolean;
}

/** A request for help, a problem with the flags, or the parsed flags. */
export type SandboxFlags = { help: true } | { problem: string } | SandboxRun;

/** Parses and checks the flags. */
export function parseSandboxFlags(args: string[]): SandboxFlags {
  const types = SANDBOX_FLAGS.map(({ name, sets }) => [
    name,
    typeof sets === 'boolean' ? SWITCH : TEXT,
  ]);
  const parsed = parseFlags(args, Object.fromEntries(types) as Record<string, typeof TEXT>);
  if ('problem' in parsed) return parsed;
  const flags: Readonly<Record<string, string | boolean | undefined>> = parsed.flags;
  const isSet = ({ name }: SettingFlag): boolean => flags[name] === true;
  if (isSet(COMMAND_FLAGS.help)) return { help: true };
  try {
    const options = readOptions(flags);
    resolveSettings(options);
    return {
      options,
      open: isSet(COMMAND_FLAGS.open),
      json: isSet(COMMAND_FLAGS.json),
      quiet: isSet(COMMAND_FLAGS.quiet),
      newSecrets: isSet(COMMAND_FLAGS.newSecrets),
    };
  } catch (error) {
    if (!(error instanceof SandboxOptionError)) throw error;
    return { problem: describeOptionError(error) };
  }
}

/** The error in terms of flags, since users of the command line do not know the options. */
export function describeOptionError({ option, problem }: SandboxOptionError): string {
  const flag = OPTION_FLAGS.find(([path]) => path === option)?.[1];
  return `${flag === undefined ? option : `--${flag.name}`} ${problem}.`;
}

/** Why the sandbox does not start. */
export function describeStartError(error: unknown): string {
  if (error instanceof SandboxOptionError) return describeOptionError(error);
  return error instanceof Error ? error.message : String(error);
}

/** `--port N` */
export function signatureOf({ name, sets }: SettingFlag): string {
  const [argument] = typeof sets === 'boolean' ? [] : Object.values(sets);
  return argument === undefined ? `--${name}` : `--${name} ${argument}`;
}

/** The options that have a flag, without those that are not given. */
function readOptions(flags: Readonly<Record<string, string | boolean | undefined>>) {
  const options: Record<string, unknown> = {};
  for (const [path, { name, sets }] of OPTION_FLAGS) {
    const given = flags[name];
    if (given === undefined) continue;
    const value = typeof sets === 'boolean' ? sets : readArgument(path, sets, String(given));
    const names = path.split('.');
    const last = names.pop() ?? '';
    const parent = names.reduce((object, key) => (object[key] ??= {}) as typeof options, options);
    parent[last] = value;
  }
  return options as BerbixSandboxOptions;
}

function readArgument(path: string, sets: object, text: string): unknown {
  if ('json' in sets) return readJson(path, text);
  if ('file' in sets) return readText(path, text);
  if (!('number' in sets)) return text;
  // `Number('')` would be 0.
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function readJson(path: string, file: string): unknown {
  try {
    // `null` would count as not given.
    return (JSON.parse(readText(path, file)) as unknown) ?? {};
  } catch (error) {
    throw error instanceof SandboxOptionError ? error : unreadable(path, file, 'it is not JSON');
  }
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(path, file, (error as NodeJS.ErrnoException).code);
  }
}

function unreadable(path: string, file: string, reason: string | undefined): SandboxOptionError {
  return new SandboxOptionError(path, `is ${file}, which cannot be read (${reason})`);
}

/** The flag and its description, wrapped. */
function describeFlag(flag: SettingFlag): string {
  const signature = `  ${signatureOf(flag)}`;
  const lines = [signature.length < HELP_COLUMN ? signature.padEnd(HELP_COLUMN) : signature];
  if (signature.length >= HELP_COLUMN) lines.push(' '.repeat(HELP_COLUMN));
  for (const word of flag.help.split(' ')) {
    const line = lines.pop() ?? '';
    const isFirst = line.trim() === '' || line.length === HELP_COLUMN;
    const longer = isFirst ? line + word : `${line} ${word}`;
    if (longer.length <= HELP_WIDTH) lines.push(longer);
    else lines.push(line, ' '.repeat(HELP_COLUMN) + word);
  }
  return lines.join('\n');
}
