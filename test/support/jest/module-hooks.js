// How Node.js finds and loads the code of this repository in tests: by `moduleNameMapper` and
// `transform` of jest.config.js. Each spec file has its own copy of what it imports from test/,
// examples/ and bench/, distinguished by the query of its URL. The spec files of a process share lib/ as
// they share packages, except in watch mode, in which it may have changed.
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createScriptTransformer } from '@jest/transform';

const TRANSFORM_OPTIONS = {
  isInternalModule: false,
  supportsDynamicImport: true,
  supportsExportNamespaceFrom: true,
  supportsStaticESM: true,
  supportsTopLevelAwait: true,
};

let mapper;
let isShared;
let transformer;

/** Called once, by Node.js or by `test-runner.js`. */
export async function initialize({ config, isWatching }) {
  const lib = pathToFileURL(`${config.rootDir}/lib/`).href;
  mapper = config.moduleNameMapper.map(([pattern, target]) => [new RegExp(pattern), target]);
  isShared = ({ href }) => !isWatching && href.startsWith(lib);
  transformer = await createScriptTransformer(config);
}

export function resolve(specifier, context, next) {
  const parent = new URL(context.parentURL ?? 'file:///');
  // Only the code of this repository has a query.
  if (parent.search === '') return next(specifier, context);
  const url = locate(specifier, parent);
  if (url === undefined) return next(specifier, context);
  url.search ||= isShared(url) && !isShared(parent) ? '?shared' : parent.search;
  return { url: url.href, shortCircuit: true };
}

/** The URL of a module of this repository; its query, if any, is that of the specifier. */
function locate(specifier, parent) {
  if (specifier === '@jest/globals') return new URL('globals.js', import.meta.url);
  const [path, query = ''] = specifier.split('?');
  const [pattern, target] = mapper.find(([each]) => each.test(path)) ?? [];
  if (pattern === undefined) return undefined;
  const mapped = path.replace(pattern, target).replace(/(?<!\.ts)$/, '.ts');
  const url = mapped.startsWith('.') ? new URL(mapped, parent) : pathToFileURL(mapped);
  url.search = query;
  return url;
}

export function load(url, context, next) {
  if (!/\.ts\?/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  const source = readFileSync(path, 'utf8');
  const { code, sourceMapPath } = transformer.transform(path, TRANSFORM_OPTIONS, source);
  // On the same line as the code after it, so that line numbers do not change.
  const registration = `globalThis[Symbol.for('source maps')].set(import.meta.url, ${JSON.stringify(sourceMapPath)});`;
  return { format: 'module', source: registration + code, shortCircuit: true };
}
