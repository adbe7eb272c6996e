import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as berbix from 'nestjs-berbix';
import type { BerbixSandbox } from 'nestjs-berbix/sandbox';
import * as rxjs from 'rxjs';
import ts from 'typescript';
import { createReferenceDocument } from '../../lib/sandbox/openapi/document.js';
import {
  PLACEHOLDERS,
  type OpenApiDocument,
  type Operation,
} from '../../lib/sandbox/openapi/model.js';
import { closeAfterTest } from '../support/closing.js';
import { changeEnvironment } from '../support/environment.js';
import { built, findOnPath } from '../support/programs.js';
import { describeWith } from '../support/requirements.js';
import { startModule, startSandbox } from '../support/services.js';
import { RawClient } from './support/raw-client.js';
import { optionsFor, routesOf, successOf } from './support/reference.js';
import { LIFE, run, sampledRoutes, sampleFolder, sampleOf, statusesOf } from './support/samples.js';

const UPLOADS = ['uploadImages', 'uploadIdScan'];
/** Operations that are done to one transaction after the other, and what they are together. */
const RUNS: [string, ...string[]][] = [
  ['a whole life', ...LIFE],
  ...UPLOADS.map((id): [string, string] => [id, id]),
];
const DOCUMENT = createReferenceDocument(PLACEHOLDERS);
const WEBHOOKS = Object.values(DOCUMENT.webhooks).map(({ post }) => post);
const OPERATIONS = operationsIn(DOCUMENT);

function operationsIn(document: OpenApiDocument): Operation[] {
  const webhooks = Object.values(document.webhooks).map(({ post }) => post);
  return [...routesOf(document).map(({ operation }) => operation), ...webhooks];
}

/** Every sample in a language, by operation. */
function samplesIn(
  label: string,
  operations = OPERATIONS,
): [operationId: string, source: string][] {
  return operations.flatMap(({ operationId, 'x-codeSamples': samples = [] }) =>
    samples
      .filter((sample) => sample.label === label)
      .map(({ source }): [string, string] => [operationId, source]),
  );
}

/** The environment that the samples mention. */
function environmentOf({ apiSecret, ca }: BerbixSandbox): Record<string, string | undefined> {
  return { BERBIX_API_SECRET: apiSecret, NODE_EXTRA_CA_CERTS: ca };
}

/** Where the requests depart from the document, although they are accepted. */
function notesOf({ requests }: BerbixSandbox): string[] {
  return [...requests].flatMap(({ notes }) => notes);
}

interface Exported {
  SampleModule: common.Type;
  Sample: common.Type<Record<string, () => Promise<unknown>>>;
}

/** What a sample exports. It reads the files of the folder. */
function evaluate(source: string, folder: string): Exported {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const modules: Record<string, object> = {
    '@nestjs/common': common,
    'nestjs-berbix': berbix,
    rxjs,
    'node:fs/promises': { readFile: (name: string) => fs.readFile(join(folder, name)) },
  };
  const exported = {};
  // oxlint-disable-next-line no-new-func
  new Function('require', 'exports', outputText)((name: string) => modules[name], exported);
  return exported as Exported;
}

describe('the samples', () => {
  it('are there for each operation, in the languages whose SDK has it', () => {
    const labels = Object.fromEntries(
      OPERATIONS.map(({ operationId, 'x-codeSamples': samples }) => [
        operationId,
        samples?.map(({ label }) => label).join(),
      ]),
    );
    const all = 'curl,Node.js,PHP,Python,Ruby,Java,Go,NestJS';
    expect(labels).toEqual({
      ...Object.fromEntries(LIFE.map((operationId) => [operationId, all])),
      uploadImages: 'curl,Node.js,Java,NestJS',
      uploadIdScan: 'curl,Node.js,NestJS',
      ...Object.fromEntries(WEBHOOKS.map(({ operationId }) => [operationId, all.slice(5)])),
    });
  });

  it('have the addresses and keys of the sandbox, and not its secret', async () => {
    const sandbox = await startSandbox({ tls: true });
    for (const { samples } of await sampledRoutes(sandbox)) {
      for (const { label, source } of samples) {
        const url = ['Node.js', 'Ruby'].includes(label) ? sandbox.tlsUrl : sandbox.url;
        expect(source).toContain(url);
        expect(source).not.toContain(sandbox.apiSecret);
        expect(source).not.toMatch(/tpk_of|[ \t]$/m);
      }
    }
    const { source } = await sampleOf(sandbox, 'createTransaction', 'PHP');
    expect(source).toContain(sandbox.templateKeys.sdk);
    expect(source).toContain(sandbox.templateKeys.hosted);
    const nest = (await sampleOf(sandbox, 'createTransaction', 'NestJS')).source;
    expect(nest).toMatch(new RegExp(`createHosted[^]*'${sandbox.templateKeys.hosted}'`));
  });

  it('check a webhook with the secret of its kind', () => {
    for (const { operationId, 'x-codeSamples': samples = [] } of WEBHOOKS) {
      const kind = operationId.replace('verification', '').toUpperCase();
      for (const { label, source } of samples) {
        const names = new Set(source.match(/BERBIX_WEBHOOK_\w+_SECRET/g));
        expect([label, ...names]).toEqual([label, `BERBIX_WEBHOOK_${kind}_SECRET`]);
      }
    }
  });

  it.each([
    ['Node.js', 'tokens.refreshToken ?? refreshToken'],
    ['PHP', '$tokens->refreshToken ?? $refreshToken'],
    ['Python', 'tokens.refresh_token or refresh_token'],
    ['Ruby', 'tokens.refresh_token || refresh_token'],
    ['Java', 'tokens.refreshToken != null ? tokens.refreshToken : refreshToken'],
    ['Go', 'if tokens.RefreshToken != "" {'],
  ])('for %s keep the refresh token of which an answer says nothing', (label, kept) => {
    const exchange = OPERATIONS.filter(({ operationId }) => operationId === 'refreshTokens');
    expect(samplesIn(label, exchange)).toEqual([['refreshTokens', expect.stringContaining(kept)]]);
  });

  it('say which of them need HTTPS if there is none', async () => {
    const { source } = await sampleOf(await startSandbox(), 'fetchTransaction', 'Ruby');
    expect(source).toContain(
      '# This SDK needs HTTPS: start the sandbox with --tls --tls-port 4011. SSL_CERT_FILE has its CA file.',
    );
    expect(source).toContain(`api_host: 'https://127.0.0.1:4011'`);
    expect(source).not.toContain('http://');
  });
});

describe('the samples for Node.js, with the official SDK', () => {
  it.each(RUNS)('run: %s', async (_, ...life) => {
    const sandbox = await startSandbox({ tls: true, ...optionsFor(String(life[0])) });
    const cwd = sampleFolder();
    for (const operationId of life) {
      const { route, source } = await sampleOf(sandbox, operationId, 'Node.js');
      writeFileSync(join(cwd, 'sample.mjs'), source);
      const before = sandbox.requests.length;
      const ended = await run(process.execPath, ['sample.mjs'], {
        cwd,
        env: environmentOf(sandbox),
      });
      expect(ended).toMatchObject({ code: 0 });
      expect(new Set(statusesOf(sandbox, route))).toEqual(new Set([successOf(route.operation)]));
      expect(sandbox.requests.length).toBeGreaterThan(before);
    }
    expect(notesOf(sandbox)).toEqual([]);
  });
});

describe.each(['finished', 'status'] as const)('the samples for the webhook %s', (kind) => {
  const operationId = DOCUMENT.webhooks[kind].post.operationId;
  const sourceIn = (label: string): string =>
    Object.fromEntries(samplesIn(label))[operationId] ?? '';

  /** What comes of a webhook that is as it should be, and of others. */
  async function answersTo(sandbox: BerbixSandbox, url: string): Promise<unknown[]> {
    sandbox.webhooks.setUrl(kind, url);
    const answers = [(await sandbox.webhooks.sendTest(kind)).status];
    for (const fault of ['forged', 'late', 'unsigned'] as const) {
      sandbox.webhooks.failNext(fault);
      answers.push((await sandbox.webhooks.sendTest(kind)).status);
    }
    return answers;
  }

  function secretOf({ webhookSecrets }: BerbixSandbox): Record<string, string> {
    return { [`BERBIX_WEBHOOK_${kind.toUpperCase()}_SECRET`]: webhookSecrets[kind] };
  }

  it('run in Node.js', async () => {
    const sandbox = await startSandbox({ webhooks: { retryDelayMs: 1 } });
    const cwd = sampleFolder();
    const listen = `listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    writeFileSync(join(cwd, 'sample.mjs'), sourceIn('Node.js').replace('listen(3000);', listen));
    const child = spawn(process.execPath, ['sample.mjs'], {
      cwd,
      env: { ...process.env, ...secretOf(sandbox) },
    });
    closeAfterTest(async () => {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    });
    const [port] = await once(child.stdout, 'data');
    const url = `http://127.0.0.1:${String(port).trim()}/`;
    expect(await answersTo(sandbox, url)).toEqual([200, 400, 400, 400]);
  });

  it('run in NestJS', async () => {
    const sandbox = await startSandbox({ webhooks: { retryDelayMs: 1 } });
    closeAfterTest(changeEnvironment({ ...environmentOf(sandbox), ...secretOf(sandbox) }));
    const { SampleModule } = evaluate(sourceIn('NestJS'), '.');
    const application = await NestFactory.create(SampleModule, { rawBody: true, logger: false });
    closeAfterTest(() => application.close());
    await application.listen(0, '127.0.0.1');
    const url = `${await application.getUrl()}/webhooks/berbix/${kind}`;
    expect(await answersTo(sandbox, url)).toEqual([204, 401, 401, 401]);
  });
});

describe('the samples for NestJS, with this package', () => {
  it.each([
    ['http://sandbox.test:4010', true],
    ['http://127.0.0.1:4010', false],
    ['https://sandbox.test:4010', false],
  ])('allow http where this package asks for it: %s', (url, isAllowed) => {
    const document = createReferenceDocument({ ...PLACEHOLDERS, url });
    const samples = samplesIn('NestJS', operationsIn(document));
    expect(samples.length).toBe(OPERATIONS.length);
    for (const [, source] of samples) {
      expect(source).toContain(`apiHost: '${url}',`);
      expect(source.includes('allowInsecure: true,')).toBe(isAllowed);
    }
  });

  it('compile', async () => {
    const folder = sampleFolder();
    for (const [operationId, source] of samplesIn('NestJS')) {
      writeFileSync(join(folder, `${operationId}.ts`), source);
    }
    const compilerOptions = {
      rootDir: '/',
      types: [resolve('node_modules/@types/node')],
      paths: { 'nestjs-berbix': [built('dist/esm/index.d.ts')] },
    };
    const project = { extends: resolve('tsconfig.json'), compilerOptions, include: [folder] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const tsc = resolve('node_modules/@typescript/native/bin/tsc');
    const compiled = await run(process.execPath, [tsc, '--noEmit', '-p', '.'], { cwd: folder });
    expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each(RUNS)('run: %s', async (_, ...life) => {
    const sandbox = await startSandbox(optionsFor(String(life[0])));
    closeAfterTest(changeEnvironment(environmentOf(sandbox)));
    const folder = sampleFolder();
    for (const operationId of life) {
      const { route, source } = await sampleOf(sandbox, operationId, 'NestJS');
      const { SampleModule, Sample } = evaluate(source, folder);
      const sample = (await startModule({ module: SampleModule })).get(Sample);
      // One of them has a method for each kind of transaction.
      for (const name of Object.getOwnPropertyNames(Sample.prototype)) {
        if (name !== 'constructor') await sample[name]?.();
      }
      const kinds = operationId === 'createTransaction' ? 3 : 1;
      expect(statusesOf(sandbox, route).slice(-kinds)).toEqual(
        Array.from({ length: kinds }, () => successOf(route.operation)),
      );
    }
    expect(notesOf(sandbox)).toEqual([]);
  });
});

describe('the samples for curl', () => {
  it('ask nobody for a password', () => {
    const sources = samplesIn('curl').map(([, source]) => source);
    const users = sources.flatMap((source) => source.match(/-u \S+/g) ?? []);
    expect(new Set(users)).toEqual(new Set(['-u "$BERBIX_API_SECRET:"']));
  });
});

describeWith('curl', findOnPath('curl') !== undefined)('the samples for curl', () => {
  it.each(RUNS)('run: %s', async (_, ...life) => {
    const sandbox = await startSandbox(optionsFor(String(life[0])));
    const client = new RawClient(sandbox);
    for (const operationId of life) {
      const { route, source } = await sampleOf(sandbox, operationId, 'curl');
      const env = { ...environmentOf(sandbox), ...(await tokensFor(client, operationId)) };
      const ended = await run('sh', ['-euc', source], { cwd: sampleFolder(), env });
      expect(ended).toMatchObject({ code: 0 });
      expect(new Set(statusesOf(sandbox, route))).toEqual(new Set([successOf(route.operation)]));
    }
    expect(notesOf(sandbox)).toEqual([]);
  });

  /** The tokens of the transaction of the reference, or of one for uploads. */
  async function tokensFor(client: RawClient, operationId: string) {
    const { source } = await sampleOf(client.sandbox, 'refreshTokens', 'curl');
    const [, refreshToken] = /"refresh_token": "(.+)"/.exec(source) ?? [];
    const { json } = UPLOADS.includes(operationId)
      ? await client.createApiOnly()
      : await client.refresh(refreshToken);
    return { ACCESS_TOKEN: String(json.access_token), CLIENT_TOKEN: String(json.client_token) };
  }
});

/** Programs that check the syntax of standard input. */
const PARSERS = [
  ['PHP', 'php', ['-l']],
  ['Ruby', 'ruby', ['-c', '-']],
  ['Go', 'gofmt', ['-l', '-e']],
] as const;

describe.each(PARSERS)('the samples for %s', (label, program, args) => {
  const check = (input: string) => run(program, [...args], { cwd: '.', input });

  describeWith(label, findOnPath(program) !== undefined)('have no mistakes', () => {
    it.each(samplesIn(label))('of syntax: %s', async (_operationId, source) => {
      expect(await check(`${source}\n`)).toMatchObject({ code: 0 });
    });

    it('which would be found', async () => {
      expect((await check(`${samplesIn(label)[0]?.[1]}\n)`)).code).not.toBe(0);
    });
  });
});

/** Parses pairs of a name and a source. */
const PYTHON_PARSER = `
import ast, json, sys
for name, source in json.load(sys.stdin): ast.parse(source, name)`;

describeWith('Python', findOnPath('python3') !== undefined)('the samples for Python', () => {
  it('have no mistakes of syntax', async () => {
    const input = JSON.stringify([...samplesIn('Python'), ['wrong', 'class Wrong { int }']]);
    const { stderr } = await run('python3', ['-c', PYTHON_PARSER], { cwd: '.', input });
    // It ends at the first mistake.
    expect(stderr).toContain('File "wrong", line 1');
  });
});

/** Parses a file; the SDK is not there, so names cannot be resolved. */
const JAVA_PARSER = `
import com.sun.source.util.JavacTask;
import java.nio.file.Path;
import javax.tools.*;

public class Parser {
  public static void main(String[] files) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    StandardJavaFileManager manager = compiler.getStandardFileManager(found, null, null);
    Iterable<? extends JavaFileObject> sources = manager.getJavaFileObjects(files);
    ((JavacTask) compiler.getTask(null, manager, found, null, null, sources)).parse();
    for (Diagnostic<?> problem : found.getDiagnostics()) System.out.println(problem);
  }
}`;

describeWith('Java', findOnPath('javac') !== undefined)('the samples for Java', () => {
  it('have no mistakes of syntax', async () => {
    const cwd = sampleFolder();
    writeFileSync(join(cwd, 'Parser.java'), JAVA_PARSER);
    const files = [...samplesIn('Java'), ['wrong', 'class Wrong { int }']].map(([name, source]) => {
      writeFileSync(join(cwd, `${name}.java`), source ?? '');
      return `${name}.java`;
    });
    // It ends before it is worth optimizing.
    const args = ['-XX:TieredStopAtLevel=1', 'Parser.java', ...files];
    const { code, stdout } = await run('java', args, { cwd });
    expect(code).toBe(0);
    expect(stdout.match(/^\S+: error/gm)).toEqual(['wrong.java:1: error']);
  });
});
