import { parseArgs, type ParseArgsConfig } from 'node:util';

type FlagOptions = NonNullable<ParseArgsConfig['options']>;

/** The values of flags as {@link parseFlags} reads them. */
export type FlagValues<Options extends FlagOptions> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options }>
>['values'];

/** Text that comes after a flag. */
export const TEXT = { type: 'string' } as const;
/** A flag without a value. */
export const SWITCH = { type: 'boolean' } as const;

/**
 * Reads the flags of a command.
 *
 * @returns their values, or what is wrong in one sentence: it may name a flag, and never quotes a
 * value or an argument, which may be a token, a key or a URL with a password
 */
export function parseFlags<Options extends FlagOptions>(
  args: string[],
  options: Options,
): { flags: FlagValues<Options> } | { problem: string } {
  try {
    return { flags: parseArgs({ args, options }).values };
  } catch (error) {
    return { problem: problemOf(error as NodeJS.ErrnoException) };
  }
}

function problemOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return 'Unexpected argument. A value must follow its flag.';
  }
  // Something else may be glued to it, as in --postgres:postgres://user:password@host.
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && !/^Unknown option '--?[a-z-]+'/i.test(message)) {
    return 'There is an unknown option. A value must follow its flag after a space.';
  }
  // What follows explains at length how to pass values that begin with a dash.
  return `${message.split(/\.\s/, 1)[0]}.`;
}
