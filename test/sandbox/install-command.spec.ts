import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { installCommand, isMissing, resolvePackage } from '../../lib/sandbox/http/packages.js';

/** The packages of an application. */
function application(nest: string) {
  return (name: string) => (name === '@nestjs/core' ? { version: nest } : undefined);
}

describe('the command that installs packages', () => {
  it.each([
    ['11.1.0', '@nestjs/swagger@^11 @peculiar/x509'],
    ['12.5.1', '@nestjs/swagger@^12 @peculiar/x509'],
  ])('matches Nest %s', (nest, packages) => {
    const command = installCommand(['@nestjs/swagger', '@peculiar/x509'], application(nest));
    expect(command).toBe(`npm install --save-dev ${packages}`);
  });

  it('names no version of other packages, and none at all if Nest is not found', () => {
    const read = application('11.0.0');
    expect(installCommand(['@peculiar/x509'], read)).toBe('npm install --save-dev @peculiar/x509');
    const nothing = () => undefined;
    expect(installCommand(['@nestjs/swagger'], nothing)).toBe(
      'npm install --save-dev @nestjs/swagger',
    );
  });

  it('depends on what is installed', () => {
    expect(installCommand(['@nestjs/platform-express'])).toMatch(
      /@nestjs\/platform-express@\^1[12]$/,
    );
  });
});

describe('a package that cannot be imported', () => {
  it.each([
    ['ERR_MODULE_NOT_FOUND', "Cannot find package '@a/b' imported from x", true],
    // The build for CommonJS.
    ['MODULE_NOT_FOUND', "Cannot find module '@a/b'", true],
    // One that it needs itself.
    ['MODULE_NOT_FOUND', "Cannot find module '@a/bc'", false],
    ['ERR_REQUIRE_ESM', "require() of '@a/b' is not supported", false],
  ])('is missing with %s, %s: %p', (code, message, missing) => {
    expect(isMissing(Object.assign(new Error(message), { code }), '@a/b')).toBe(missing);
  });
});

describe('a file of a package', () => {
  it('is found from another file, or else from the directory of the process', () => {
    const from = join(import.meta.dirname, 'any.js');
    const here = './install-command.spec.ts';
    expect(resolvePackage(here, from)).toBe(join(import.meta.dirname, here));
    expect(resolvePackage(here)).toBeUndefined();
    expect(resolvePackage('./package.json')).toBe(join(process.cwd(), 'package.json'));
    expect(resolvePackage('./package.json', from)).toBeUndefined();
  });
});
