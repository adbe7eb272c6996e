import { openapiCommand } from '../../../lib/cli/openapi.command.js';
import { reEncryptCommand } from '../../../lib/cli/re-encrypt.command.js';
import { refreshCommand } from '../../../lib/cli/refresh.command.js';
import { sandboxCommand } from '../../../lib/cli/sandbox.command.js';
import { storeCommand } from '../../../lib/cli/store/store.command.js';
import { tableCommand } from '../../../lib/cli/store/table.command.js';
import { runCommand } from '../../cli/support/run-command.js';

const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  openapi: openapiCommand,
  're-encrypt': reEncryptCommand,
  refresh: refreshCommand,
  sandbox: sandboxCommand,
  store: storeCommand,
  table: tableCommand,
};

/** What a command has printed. */
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** How a command starts. */
export interface Start {
  /** What is special about this start. */
  note?: string;
  environment?: Record<string, string | undefined>;
  input?: string;
  /** Standard output as it is shown. */
  show?: (stdout: string) => string;
}

/** Writes down what a person at a terminal enters, and what is printed. */
export class Terminal {
  readonly #parts: string[] = [];
  readonly #variables: [value: string | RegExp, name: string][] = [];
  /** Shown once. */
  help = '';

  /** Shows `{name}` in the place of what is another one in each run. */
  name(name: string, value: string | RegExp): this {
    this.#variables.push([value, `{${name}}`]);
    return this;
  }

  /** Runs a command in this process. */
  async run(args: string[], start: Start = {}): Promise<Ended> {
    const { environment, input, note, show } = start;
    const [command = '', ...rest] = args;
    const run = COMMANDS[command] ?? (() => Promise.reject(new Error(command)));
    const ended = await runCommand(run, rest, environment, input);
    const shown = { ...ended, stdout: show?.(ended.stdout) ?? ended.stdout };
    this.add(args, shown, note);
    if (args.at(-1) === '--help') this.help = ended.stdout;
    return ended;
  }

  /** Adds what a command has printed somewhere else. */
  add(args: string[], { code, stdout, stderr }: Ended, note?: string): void {
    const errors = this.help === '' ? stderr : stderr.replace(this.help, '{the help}\n');
    const lines = [
      ...(note === undefined ? [] : [`# ${note}`]),
      `$ ${['nestjs-berbix', ...args].map(quoted).join(' ')}`,
      ...linesOf(stdout),
      ...linesOf(errors).map((line) => `stderr: ${line}`.trimEnd()),
      ...(code === 0 ? [] : [`exit code ${code}`]),
    ];
    this.#parts.push(`${lines.join('\n')}\n`);
  }

  /** All of it so far. */
  get text(): string {
    return this.#variables.reduce(
      (text, [value, name]) => text.replaceAll(value, name),
      this.#parts.join('\n'),
    );
  }
}

/** A text that does not end with a line break is visible as such. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  return text.endsWith('\n')
    ? text.slice(0, -1).split('\n')
    : [...text.split('\n'), '(no line break)'];
}

function quoted(argument: string): string {
  return /^[\w{}.,:;/=@%*-]+$/.test(argument) ? argument : JSON.stringify(argument);
}
