import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { LOAD } from './report.js';

const PACKAGES = ['undici', 'berbix', '@nestjs/axios', 'axios', '@nestjs/core', 'class-validator'];

/** Where and with what is measured, for those who read the results later. */
export interface Environment {
  date: string;
  node: string;
  platform: string;
  cpu: string;
  cores: number;
  /** Of the last minute, before the start; beyond 0.5 somebody else was at work. */
  load: number;
  packages: Record<string, string>;
}

/** As it is now. */
export function environment(): Environment {
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    load: LOAD,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** Of an installed package; from the file, since not every package exports its package.json. */
export function versionOf(name: string): string {
  const file = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
