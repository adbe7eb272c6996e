// One file with everything in it, by each of the usual bundlers.
import { promisify } from 'node:util';
import { test } from 'node:test';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import webpack from 'webpack';
import { beginWith } from './cli/run.mjs';

const ENTRY = './cli/main.ts';

/** Optional packages of Nest, its transports and this package, which are not installed here. */
const ABSENT = [
  /^@nestjs\/(?:microservices|websockets|platform-(?!express)[\w-]+|swagger|terminus)(?:\/|$)/,
  /^(?:class-transformer|pg|ioredis)(?:\/|$)/,
  /^@(?:electric-sql|peculiar|fastify)\//,
];
const isAbsent = (name) => ABSENT.some((pattern) => pattern.test(name));

test('esbuild', async () => {
  const outfile = 'out/esbuild.mjs';
  await build({
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    keepNames: true,
    minify: true,
    // Express is CommonJS.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'absent',
        setup({ onResolve }) {
          onResolve({ filter: /^[^.]/ }, ({ path }) =>
            isAbsent(path) ? { path, external: true } : undefined,
          );
        },
      },
    ],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  beginWith(outfile);
});

test('rolldown', async () => {
  const file = 'out/rolldown.mjs';
  const bundle = await rolldown({
    input: ENTRY,
    platform: 'node',
    external: isAbsent,
    transform: { decorator: { legacy: true } },
  });
  await bundle.write({ file, format: 'esm', minify: true, keepNames: true, codeSplitting: false });
  await bundle.close();
  beginWith(file);
});

test('webpack', async () => {
  const stats = await promisify(webpack)({
    entry: ENTRY,
    target: 'node20',
    mode: 'production',
    output: { path: `${process.cwd()}/out`, filename: 'webpack.cjs' },
    // The names of classes stay, by which Nest goes; NODE_ENV is not decided here.
    optimization: { minimize: false, nodeEnv: false },
    resolve: { extensions: ['.ts', '.js'] },
    externals: [
      ({ request }, done) => (isAbsent(request) ? done(null, `commonjs ${request}`) : done()),
    ],
    module: {
      rules: [
        {
          test: /\.ts$/,
          loader: 'swc-loader',
          options: {
            jsc: {
              parser: { syntax: 'typescript', decorators: true },
              transform: { legacyDecorator: true },
              target: 'es2022',
            },
          },
        },
      ],
    },
  });
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  beginWith('out/webpack.cjs');
});
