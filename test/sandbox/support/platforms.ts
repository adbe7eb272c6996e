import { BerbixSandbox, type BerbixSandboxOptions } from 'nestjs-berbix/sandbox';
import { PLATFORM_LOADERS, type Platform } from '../../../lib/sandbox/server/http-adapter.js';

/** Every rule holds on both. */
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** Sandboxes started by a spec; `closeAll` goes into `afterEach`. */
export class Sandboxes {
  readonly #open: BerbixSandbox[] = [];

  async start(platform: Platform, options?: BerbixSandboxOptions): Promise<BerbixSandbox> {
    const loaders = { [platform]: PLATFORM_LOADERS[platform] };
    const sandbox = await BerbixSandbox.startOn(loaders, options);
    this.#open.push(sandbox);
    return sandbox;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((sandbox) => sandbox.close()));
  }
}
