import { parseArgs } from 'node:util';

/** The settings of the demo, from its arguments and the environment. */
export interface DemoSettings {
  /** `--once`: stop after the result. */
  once: boolean;
  /** `PORT`; 0 for a free one. */
  port: number;
  /** `DATA_DIR`: the directory that all runs share. */
  data: string;
  /** The origin of `OTEL_EXPORTER_OTLP_ENDPOINT`, if it is set. */
  collector: string | undefined;
}

/** What `--help` shows. */
export const USAGE = `Usage: npm start -- [--once]

Starts the example backend, with the sandbox and an embedded PostgreSQL, and
shows what it does. It runs until you press Ctrl+C.

  --once   run a verification up to its result, then stop
  --help   show this help

It needs no environment variables. Set BERBIX_API_SECRET to use your account,
DATABASE_URL and REDIS_URL to use your servers, PORT for its port, DATA_DIR for
its data, and OTEL_EXPORTER_OTLP_ENDPOINT to send traces and metrics to an
OpenTelemetry collector. examples/README.md explains all of them.`;

const OPTIONS = {
  once: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws {Error} that says what is wrong */
export function demoSettings(args: string[], env: NodeJS.ProcessEnv): DemoSettings | 'help' {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return 'help';
  return {
    once: values.once,
    port: portFrom(env['PORT'] || '0'),
    data: env['DATA_DIR'] || '.data/backend',
    collector: collectorFrom(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined),
  };
}

function portFrom(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error('The environment variable PORT must be a port number from 0 to 65535.');
}

/** The exporters would only log that they cannot use it. */
function collectorFrom(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text).origin;
  throw new Error(
    'The environment variable OTEL_EXPORTER_OTLP_ENDPOINT must be a URL, such as http://127.0.0.1:4318.',
  );
}
