import { FaultPlayer } from './faults/fault-player.js';
import { SandboxFaults } from './faults/sandbox-faults.js';
import { RequestLog } from './requests/request-log.js';
import { RequestPipeline } from './requests/request-pipeline.js';
import { SandboxAddress } from './sandbox-address.js';
import { SandboxClock } from './sandbox-clock.js';
import { SandboxModule } from './sandbox.module.js';
import type { BerbixSandboxOptions } from './sandbox.options.js';
import { resolveSettings, type SandboxSettings } from './sandbox.settings.js';
import { createCertificateAuthority } from './server/certificate-authority.js';
import type { PlatformLoaders } from './server/http-adapter.js';
import { Listeners, LOOPBACK } from './server/listeners.js';
import { createApplication } from './server/nest-application.js';
import { type TemplateKeys, templateKeysOf } from './transactions/template-keys.js';

/** How to reach a sandbox that listens; the ready line of the CLI has the same keys. */
export interface BerbixSandboxReady {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string;
  /** `https://127.0.0.1:PORT`; only with the option `tls`. */
  tlsUrl?: string;
  /** Path of the PEM file of the authority behind `tlsUrl`; gone after `close()`. */
  ca?: string;
  /** The secret of test mode. */
  apiSecret: string;
  /** The secret of live mode. */
  liveApiSecret: string;
  templateKeys: TemplateKeys;
}

/**
 * A local Berbix: the official SDKs and this package's client run against it unchanged. Everything
 * is in memory and ends with `close()`.
 *
 * @example
 * const sandbox = await BerbixSandbox.start({ refreshToken: 'rotate' });
 * const client = BerbixModule.forRoot({ apiHost: sandbox.url, apiSecret: sandbox.apiSecret });
 * sandbox.faults.add({ kind: 'status', status: 503 });
 * sandbox.clock.advance(3_600_000);
 * await sandbox.close();
 */
export class BerbixSandbox implements BerbixSandboxReady, AsyncDisposable {
  /** What arrived. */
  readonly requests = new RequestLog();
  /** What shall go wrong next. */
  readonly faults = new SandboxFaults();
  /** The time as the sandbox sees it. */
  readonly clock = new SandboxClock();

  readonly apiSecret: string;
  readonly liveApiSecret: string;
  readonly templateKeys: TemplateKeys;

  readonly #settings: SandboxSettings;
  readonly #address = new SandboxAddress();
  readonly #listeners = new Listeners();
  readonly #player = new FaultPlayer(this.#listeners.reset);
  /** What to undo when closing, last first. */
  readonly #undo: (() => Promise<void>)[] = [];
  #tls: { url: string; caPath: string } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(settings: SandboxSettings) {
    this.#settings = settings;
    this.apiSecret = settings.apiSecret;
    this.liveApiSecret = settings.liveApiSecret;
    this.templateKeys = templateKeysOf(settings.apiSecret);
  }

  /**
   * Starts a sandbox; resolves when it listens.
   *
   * @throws {SandboxOptionError} for an option that cannot be used, such as a port that is in use
   * @throws {Error} for a package that has to be installed; the message names it
   */
  static start(options?: BerbixSandboxOptions): Promise<BerbixSandbox> {
    return BerbixSandbox.startOn(undefined, options);
  }

  /** On a given platform of Nest; for tests of the sandbox itself. @internal */
  static async startOn(
    platforms: PlatformLoaders | undefined,
    options?: BerbixSandboxOptions,
  ): Promise<BerbixSandbox> {
    const sandbox = new BerbixSandbox(resolveSettings(options));
    try {
      await sandbox.#open(platforms);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
    return sandbox;
  }

  get url(): string {
    return this.#address.url;
  }

  get tlsUrl(): string | undefined {
    return this.#tls?.url;
  }

  get ca(): string | undefined {
    return this.#tls?.caPath;
  }

  /** How to reach it, as one object; `tlsUrl` and `ca` are there with the option `tls` only. */
  ready(): BerbixSandboxReady {
    const { url, apiSecret, liveApiSecret, templateKeys } = this;
    const tls = this.#tls && { tlsUrl: this.#tls.url, ca: this.#tls.caPath };
    return { url, ...tls, apiSecret, liveApiSecret, templateKeys };
  }

  /** Ends all connections, also those that wait for an answer. May be called more than once. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(platforms: PlatformLoaders | undefined): Promise<void> {
    const { requests, faults, clock } = this;
    const parts = { settings: this.#settings, requests, faults, clock, address: this.#address };
    const application = await createApplication(SandboxModule.register(parts), platforms);
    this.#undo.push(() => application.close());
    const { listener } = new RequestPipeline(
      requests,
      faults,
      this.#player,
      clock,
      application.listener,
    );
    this.#undo.push(() => this.#listeners.close());
    const port = await this.#listeners.listenHttp(this.#settings.port, listener);
    this.#address.url = `http://${LOOPBACK}:${port}`;
    if (this.#settings.tls) await this.#openTls(listener);
  }

  async #openTls(listener: RequestPipeline['listener']): Promise<void> {
    const authority = await createCertificateAuthority();
    this.#undo.push(() => authority.remove());
    const port = await this.#listeners.listenHttps(
      this.#settings.tlsPort,
      authority.server,
      listener,
    );
    this.#tls = { url: `https://${LOOPBACK}:${port}`, caPath: authority.caPath };
  }

  async #close(): Promise<void> {
    this.#player.close();
    for (const undo of this.#undo.toReversed()) await undo();
  }
}
