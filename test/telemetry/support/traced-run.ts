import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import { built } from '../../support/programs.js';

/** A finished span, as `application.mjs` writes it. */
export interface Span {
  id: string;
  parent?: string;
  name: string;
  /** 0: INTERNAL, 2: CLIENT. */
  kind: number;
  scope: string;
  /** `code` 2: an error. */
  status: { code: number; message?: string };
  attributes: Record<string, unknown>;
  events: unknown[];
  links: string[];
}

export interface Metric {
  name: string;
  unit: string;
  points: { attributes: Record<string, unknown>; value: unknown }[];
}

/** What a run has exported. */
export interface Traces {
  spans: Span[];
  metrics: Metric[];
  /** All of it, to search it for secrets. */
  text: string;
}

/** Runs the steps of `steps.mjs` with this name. */
export async function runTraced(
  name: string,
  options: BerbixModuleOptions,
  parameters: object,
): Promise<Traces> {
  built('dist/esm/index.js');
  const args = [
    '--import',
    './test/telemetry/support/register.mjs',
    'test/telemetry/support/application.mjs',
    name,
    JSON.stringify(options),
    JSON.stringify(parameters),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
  return { ...(JSON.parse(stdout) as Omit<Traces, 'text'>), text: stdout };
}

/** The spans as a tree of names, sorted: `caller > berbix.tokens.fresh`. */
export function treeOf({ spans }: Traces): string[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const pathOf = (span: Span): string => {
    const parent = span.parent === undefined ? undefined : byId.get(span.parent);
    return `${parent === undefined ? '' : `${pathOf(parent)} > `}${titleOf(span)}`;
  };
  return [...new Set(spans.map(pathOf))].toSorted();
}

/** Of a database, the kind of the statement says enough. */
function titleOf({ name, scope }: Span): string {
  if (scope.endsWith('-pg')) return `pg ${/SELECT|INSERT|UPDATE/i.exec(name)?.[0] ?? name}`;
  return scope.endsWith('-ioredis') ? `redis ${name}` : name;
}

/** The spans with a name. */
export function named({ spans }: Traces, name: string): Span[] {
  return spans.filter((span) => span.name === name);
}
