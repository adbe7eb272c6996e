import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BerbixModuleOptions } from 'nestjs-berbix';
import { closeAfterFile } from '../../support/closing.js';
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

let application: ChildProcess | undefined;

/** Runs the steps of `steps.mjs` with this name, one after the other in the same process. */
export async function runTraced(
  name: string,
  options: BerbixModuleOptions,
  parameters: object,
): Promise<Traces> {
  application ??= startApplication();
  const ended = new AbortController();
  const end = (): void => ended.abort(new Error('The application has ended.'));
  application.once('exit', end).send({ name, options, parameters });
  const [answer] = (await once(application, 'message', ended)) as [Answer];
  application.off('exit', end);
  if ('error' in answer) throw new Error(answer.error);
  return { ...answer.result, text: JSON.stringify(answer.result) };
}

type Answer = { result: Omit<Traces, 'text'> } | { error: string };

function startApplication(): ChildProcess {
  built('dist/esm/index.js');
  const child = fork('test/telemetry/support/application.mjs', {
    execArgv: ['--import', './test/telemetry/support/register.mjs'],
  });
  closeAfterFile(async () => child.kill());
  return child;
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
