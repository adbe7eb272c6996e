import { parseArgs } from 'node:util';

/** How the demo was called. */
export interface DemoSettings {
  /** `--once`: stop after showing. */
  once: boolean;
  /** `PORT`; 0 takes a free one. */
  port: number;
  /** `DATA_DIR`: the directory that all runs share. */
  data: string;
}

/** @throws {Error} that says what is wrong */
export function demoSettings(args: string[], env: NodeJS.ProcessEnv): DemoSettings {
  const { values } = parseArgs({ args, options: { once: { type: 'boolean', default: false } } });
  return {
    once: values.once,
    port: portFrom(env['PORT'] || '0'),
    data: env['DATA_DIR'] || '.data/backend',
  };
}

function portFrom(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error('The environment variable PORT must be a port number from 0 to 65535.');
}
