import { describe, expect, it } from '@jest/globals';
import { installCommand } from '../../lib/sandbox/server/install-command.js';

/** The packages of an application. */
function application(nest: string, fastifyStatic?: string) {
  return (name: string) => {
    if (name === '@nestjs/core') return { version: nest };
    if (fastifyStatic === undefined || name !== '@nestjs/platform-fastify') return undefined;
    return { version: nest, peerDependencies: { '@fastify/static': fastifyStatic } };
  };
}

describe('the command that installs packages', () => {
  it.each([
    ['11.1.0', '^8.0.0 || ^9.0.0', '@nestjs/swagger@^11 @fastify/static@^9.0.0'],
    ['11.2.10', '^10.1.2', '@nestjs/swagger@^11 @fastify/static@^10.1.2'],
    ['12.5.1', '^10.1.10', '@nestjs/swagger@^12 @fastify/static@^10.1.10'],
    ['12.5.1', undefined, '@nestjs/swagger@^12 @fastify/static'],
  ])('fits Nest %s with %s', (nest, range, packages) => {
    const command = installCommand(
      ['@nestjs/swagger', '@fastify/static'],
      application(nest, range),
    );
    expect(command).toBe(`npm install --save-dev ${packages}`);
  });

  it('leaves the version of other packages to npm, and of all where Nest is not found', () => {
    const read = application('11.0.0');
    expect(installCommand(['@peculiar/x509'], read)).toBe('npm install --save-dev @peculiar/x509');
    const nothing = () => undefined;
    expect(installCommand(['@nestjs/swagger'], nothing)).toBe(
      'npm install --save-dev @nestjs/swagger',
    );
  });

  it('looks at what is installed', () => {
    expect(installCommand(['@nestjs/platform-express'])).toMatch(
      /@nestjs\/platform-express@\^1[12]$/,
    );
  });
});
