import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';

/*
 * The edits of `nest add nestjs-berbix`. `npm run test:consumers` tries it with the command line of
 * Nest 11 and 12.
 */

type Files = Record<string, string>;

const { nestAdd } = createRequire(import.meta.url)('../../schematics/nest-add.cjs') as {
  nestAdd(options: object): (tree: object, context: object) => void;
};

/** The files afterwards, and the warnings. */
function add(files: Files): { files: Files; warnings: string[] } {
  const after: Files = {
    'package.json': '{"type":"module","dependencies":{"@nestjs/common":"^12.0.1"}}',
    ...files,
  };
  const warnings: string[] = [];
  const write = (path: string, text: string): string => (after[path] = text);
  nestAdd({})(
    {
      exists: (path: string) => path in after,
      readText: (path: string) => after[path],
      create: write,
      overwrite: write,
    },
    {
      logger: { info: () => {}, warn: (text: string) => warnings.push(text) },
      addTask: () => {},
    },
  );
  return { files: after, warnings };
}

const IMPORT = "import { VerificationModule } from './verification/verification.module.js';";
const appModule = (imports: string, metadata: string): string =>
  `import { A } from './a.js';\n${imports}\n@Module({${metadata}})\nexport class AppModule {}\n`;
const APP = appModule('', '\n  imports: [A],\n');
const MAIN = 'const app = await NestFactory.create(AppModule);\n';

describe('nest add', () => {
  it.each([
    ['\n  imports: [A],\n', '\n  imports: [VerificationModule, A],\n'],
    ['\n  imports: [],\n', '\n  imports: [VerificationModule],\n'],
    ['\n  imports: [\n    A,\n  ],\n', '\n  imports: [\n    VerificationModule, A,\n  ],\n'],
    ['\n  controllers: [A],\n', '\n  imports: [VerificationModule],\n  controllers: [A],\n'],
    ['', '\n  imports: [VerificationModule],'],
  ])('adds the module to @Module({%j})', (before, after) => {
    const { files } = add({ 'src/app.module.ts': appModule('', before), 'src/main.ts': MAIN });
    expect(files['src/app.module.ts']).toBe(appModule(`${IMPORT}\n`, after));
  });

  it.each([
    ['create(AppModule)', 'create(AppModule, { rawBody: true })'],
    ['create(AppModule, { cors: true })', 'create(AppModule, { rawBody: true, cors: true })'],
    ['create<NestApp>(AppModule)', 'create<NestApp>(AppModule, { rawBody: true })'],
    ['create(AppModule, { rawBody: true })', 'create(AppModule, { rawBody: true })'],
  ])('keeps raw bodies: %s', (before, after) => {
    const main = `const app = await NestFactory.${before};\n`;
    const { files, warnings } = add({ 'src/app.module.ts': APP, 'src/main.ts': main });
    expect(files['src/main.ts']).toBe(`const app = await NestFactory.${after};\n`);
    expect(warnings).toEqual([]);
  });

  it('says what to do by hand with files that it does not understand', () => {
    const main = 'const app = await NestFactory.create(AppModule, new FastifyAdapter());\n';
    const { files, warnings } = add({ 'src/main.ts': main });
    expect(files['src/main.ts']).toBe(main);
    expect(warnings).toEqual([
      expect.stringMatching(/^src\/app\.module\.ts was not changed\. Import VerificationModule /),
      expect.stringMatching(/^src\/main\.ts was not changed\. Pass { rawBody: true } /),
    ]);
  });

  it('changes nothing the second time', () => {
    const once = add({ 'src/app.module.ts': APP, 'src/main.ts': MAIN });
    const twice = add(once.files);
    expect(twice.files).toEqual(once.files);
    expect(twice.warnings).toHaveLength(3);
  });

  it.each([
    ['^11.0.1', '^4.0.0'],
    ['^12.0.1', '^12.0.0'],
  ])('adds the packages for Nest %s', (nest, companion) => {
    const { files } = add({
      'package.json': JSON.stringify({ dependencies: { '@nestjs/common': nest, axios: '1.16.0' } }),
    });
    const manifest = JSON.parse(files['package.json'] as string) as Record<string, object>;
    expect(manifest['dependencies']).toEqual({
      '@nestjs/axios': companion,
      '@nestjs/common': nest,
      '@nestjs/config': companion,
      axios: '1.16.0',
      'class-validator': expect.any(String),
    });
    // CommonJS, since there is no "type".
    expect(files['src/verification/verification.module.ts']).toContain("verification.controller'");
  });
});
