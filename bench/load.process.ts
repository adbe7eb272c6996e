import { answer } from './harness/peer.js';

/** How long a new process takes to import, in milliseconds. */
export interface LoadTimes {
  /** What every application with this package has: Nest, axios, class-validator and the rest. */
  peersMs: number;
  /** The package, once they are there. */
  packageMs: number;
  /** Undici, which the package loads with its first request. */
  undiciMs: number;
}

answer(async (): Promise<LoadTimes> => {
  const begun = performance.now();
  await import('reflect-metadata');
  await import('@nestjs/core');
  await import('@nestjs/axios');
  await import('@nestjs/config');
  await import('class-validator');
  const peers = performance.now();
  await import('nestjs-berbix');
  const loaded = performance.now();
  await import('undici');
  const all = performance.now();
  return { peersMs: peers - begun, packageMs: loaded - peers, undiciMs: all - loaded };
});
