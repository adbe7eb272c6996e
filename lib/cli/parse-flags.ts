import { parseArgs, type ParseArgsConfig } from 'node:util';

type FlagOptions = NonNullable<ParseArgsConfig['options']>;

/** The values of flags from {@link parseFlags}. */
export type FlagValues<Options extends FlagOptions> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options }>
>['values'];

/** A flag with a value. */
export const TEXT = { type: 'string' } as const;
/** A flag without a value. */
export const SWITCH = { type: 'boolean' } as const;

/**
 * Parses the flags of a command.
 *
 * @returns their values, or the problem in one sentence. It may name a flag, but quotes no value or
 * argument, which may be a token, a key or a URL with a password (I10)
 */
export function parseFlags<Options extends FlagOptions>(
  args: string[],
  options: Options,
): { flags: FlagValues<Options> } | { problem: string } {
  try {
    return { flags: parseArgs({ args, options }).values };
  } catch (error) {
    return { problem: describeParseError(error as NodeJS.ErrnoException) };
  }
}

function describeParseError({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return 'Unexpected argument. A value must follow its flag.';
  }
  // A value may follow without a space, as in --postgres:postgres://user:password@host.
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && !/^Unknown option '--?[a-z-]+'/i.test(message)) {
    return 'There is an unknown option. A value must follow its flag after a space.';
  }
  const [, ambiguous] = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message) ?? [];
  if (ambiguous !== undefined) {
    return `Option '${ambiguous}' argument is ambiguous. Write a value that begins with a dash as ${ambiguous}=<value>.`;
  }
  // Without the rest, which explains how to pass values that begin with a dash.
  return `${message.split(/\.\s/, 1)[0]}.`;
}
