'use strict';
// What `nest add nestjs-berbix` does. It uses only the tree and the context that the command line of
// Nest passes to it, so the package needs no schematics library.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** The packages beside this one, by the major version of Nest. */
const PACKAGES = {
  11: { '@nestjs/axios': '^4.0.0', '@nestjs/config': '^4.0.0' },
  12: { '@nestjs/axios': '^12.0.0', '@nestjs/config': '^12.0.0' },
};
const COMMON_PACKAGES = { axios: '^1.15.0', 'class-validator': '^0.15.0' };

const SCRIPT = 'start:berbix';
const COMMAND = [
  'nestjs-berbix sandbox exec',
  '--webhook-finished http://127.0.0.1:3000/webhooks/berbix/finished',
  '--webhook-status http://127.0.0.1:3000/webhooks/berbix/status',
  '-- nest start --watch',
].join(' ');

exports.nestAdd =
  ({ sourceRoot = 'src' }) =>
  (tree, context) => {
    const manifest = JSON.parse(tree.readText('package.json'));
    addToManifest(tree, manifest);
    const js = manifest.type === 'module' ? '.js' : '';
    for (const name of ['verification.module.ts', 'verification.controller.ts']) {
      create(tree, context, `${sourceRoot}/verification/${name}`, template(name, { js }));
    }
    create(tree, context, '.env.example', template('env.example'));
    edit(tree, context, `${sourceRoot}/app.module.ts`, (text) => importModule(text, js), {
      unless: 'VerificationModule',
      hint: 'Import VerificationModule of ./verification/verification.module in your root module.',
    });
    edit(tree, context, `${sourceRoot}/main.ts`, keepRawBodies, {
      unless: 'rawBody',
      hint: 'Pass { rawBody: true } to NestFactory.create: signatures of webhooks cover the raw bytes.',
    });
    install(tree, context);
    context.logger.info(`Next: npm run ${SCRIPT}, then POST http://localhost:3000/verification`);
    return tree;
  };

function addToManifest(tree, manifest) {
  const [, major] = /(\d+)/.exec(manifest.dependencies?.['@nestjs/common'] ?? '') ?? [];
  manifest.dependencies = sorted({
    ...(PACKAGES[major] ?? PACKAGES[12]),
    ...COMMON_PACKAGES,
    ...manifest.dependencies,
  });
  manifest.scripts = { ...manifest.scripts, [SCRIPT]: manifest.scripts?.[SCRIPT] ?? COMMAND };
  tree.overwrite('package.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
}

const sorted = (record) =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function template(name, values = {}) {
  const text = readFileSync(join(__dirname, 'files', `${name}.txt`), 'utf8');
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, key) => values[key]);
}

function create(tree, context, path, text) {
  if (tree.exists(path)) context.logger.warn(`${path} is already there, and stays as it is.`);
  else tree.create(path, text);
}

/** Changes a file; says what to do by hand if it does not look as expected. */
function edit(tree, context, path, change, { unless, hint }) {
  const text = tree.exists(path) ? tree.readText(path) : '';
  if (text.includes(unless)) return;
  const changed = change(text);
  if (changed === undefined) context.logger.warn(`${path} was not changed. ${hint}`);
  else tree.overwrite(path, changed);
}

/** With the module among the imports of the first `@Module()`. */
function importModule(text, js) {
  const module = /@Module\(\{\s*/.exec(text);
  if (module === null) return undefined;
  const before = text.slice(0, module.index);
  const after = text.slice(module.index);
  const imports = /(\bimports:\s*\[)(\s*\]?)/;
  const withImport = imports.test(after)
    ? after.replace(imports, (_, start, rest) =>
        rest.endsWith(']') ? `${start}VerificationModule]` : `${start}${rest}VerificationModule, `,
      )
    : after.replace(/@Module\(\{/, '@Module({\n  imports: [VerificationModule],');
  return `${before.trimEnd()}\nimport { VerificationModule } from './verification/verification.module${js}';\n\n${withImport}`;
}

/** With `rawBody: true` among the options of the application. */
function keepRawBodies(text) {
  const call = /(NestFactory\.create(?:<[^>]*>)?\()([\w.]+)(\s*,\s*\{\s*|\s*\))/;
  if (!call.test(text)) return undefined;
  return text.replace(call, (_, start, module, end) =>
    end.trimStart().startsWith(',')
      ? `${start}${module}, { rawBody: true, `
      : `${start}${module}, { rawBody: true })`,
  );
}

function install(tree, context) {
  const packageManager = tree.exists('pnpm-lock.yaml')
    ? 'pnpm'
    : tree.exists('yarn.lock')
      ? 'yarn'
      : 'npm';
  context.addTask({
    toConfiguration: () => ({
      name: 'node-package',
      options: { command: 'install', quiet: true, packageManager, workingDirectory: '' },
    }),
  });
}
