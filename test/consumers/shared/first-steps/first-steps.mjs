// From an empty folder to a resumed verification, with the commands and the code of the README as
// they are there; then `nest add nestjs-berbix` and what it says to do next.
//   node first-steps.mjs 12
import { deepEqual, equal, ok } from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startRegistry } from './registry.mjs';
import { Terminal } from './terminal.mjs';

/**
 * From the start of the application to the second answer. `nest new` and `npm install` take as long
 * as the network and the machine need, which says nothing about the package: their time is printed,
 * and has no limit.
 */
const LIMIT_S = 300;
const READY = 'Nest application successfully started';

const [nest] = process.argv.slice(2);
const registry = await startRegistry(process.env.NESTJS_BERBIX_TARBALL);
const port = await freePort();
const terminal = (folder) =>
  new Terminal(folder, { PORT: port, npm_config_registry: registry.url });

try {
  const readme = stepsOf(registry.readme);
  const app = join(process.cwd(), readme.folder);
  const added = join(process.cwd(), 'added');

  // With the version of Nest, and without the questions of `nest new`.
  const create = readme.create.replace('@nestjs/cli', `--yes @nestjs/cli@${nest}`);
  const createS = await secondsOf(() =>
    terminal(process.cwd()).run(`${create} --package-manager npm --skip-git`),
  );
  cpSync(app, added, { recursive: true, verbatimSymlinks: true });
  const installS = await secondsOf(() => terminal(app).run(readme.install));
  const verifyS = await secondsOf(() => verify(app, readme));
  await add(added);

  const total = createS + installS + verifyS;
  console.log(
    `result: first verification after ${total} s (nest new ${createS} s, npm install ${installS} s, the rest ${verifyS} s)`,
  );
  ok(verifyS < LIMIT_S, `It took ${verifyS} s after the installation.`);
} finally {
  registry.stop();
}

/** What the README says to do. */
function stepsOf(text) {
  const find = (pattern) => {
    const match = pattern.exec(text);
    ok(match, `The README has nothing like ${pattern}`);
    return match.slice(1);
  };
  const [create, folder] = find(/`(npx @nestjs\/cli new ([\w-]+))`/);
  const [install] = find(new RegExp(`^With NestJS ${nest}:\n\n\`\`\`sh\n(.+)\n\`\`\`$`, 'm'));
  const [file, code] = find(/The whole `(src\/[\w.]+)`[^]*?\n```ts\n([^]*?)^```$/m);
  const [start, begin] = find(/^```sh\n(.* sandbox exec .*)\n(curl .*?)( #.*)?\n```$/m);
  return { create, folder, install, file, code, start, begin: begin.replace(':3000', `:${port}`) };
}

/** Begins the verification of a customer twice. */
async function verify(app, readme) {
  writeFileSync(join(app, readme.file), readme.code);
  const stop = await terminal(app).start(readme.start, READY);
  try {
    for (const isResumed of [false, true]) {
      const answer = JSON.parse(await terminal(app).run(readme.begin.replace('curl', 'curl -sS')));
      deepEqual([typeof answer.clientToken, answer.isResumed], ['string', isResumed]);
    }
  } finally {
    await stop();
  }
}

/** `nest add`, with what it installs and the script that it adds. */
async function add(app) {
  await terminal(app).run('npx nest add nestjs-berbix');
  const path = join(app, 'package.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(':3000/', `:${port}/`));
  const stop = await terminal(app).start('npm run start:berbix', READY);
  try {
    const post = (route) => fetch(`http://127.0.0.1:${port}${route}`, { method: 'POST' });
    equal(typeof (await (await post('/verification')).json()).clientToken, 'string');
    // It has the secret of the webhooks, and the raw bytes.
    equal((await post('/webhooks/berbix/status')).status, 401);
    const example = readFileSync(join(app, '.env.example'), 'utf8');
    ok(example.includes('BERBIX_API_SECRET='));
  } finally {
    await stop();
  }
}

async function secondsOf(work) {
  const began = performance.now();
  await work();
  return Math.round((performance.now() - began) / 1000);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
