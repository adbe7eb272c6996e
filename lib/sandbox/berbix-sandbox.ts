import { FaultPlayer } from './faults/fault-player.js';
import { SandboxFaults } from './faults/sandbox-faults.js';
import { type Restored, restore } from './persistence/restore.js';
import { commandForReference } from './reference/reference-page.js';
import { AllowedHosts } from './requests/allowed-hosts.js';
import { RequestGate } from './requests/request-gate.js';
import { RequestLog } from './requests/request-log.js';
import { RequestPipeline } from './requests/request-pipeline.js';
import { SandboxAddress } from './sandbox-address.js';
import { SandboxClock } from './sandbox-clock.js';
import { SandboxModule, type SandboxParts } from './sandbox.module.js';
import type { BerbixSandboxOptions } from './sandbox.options.js';
import type { SandboxSettings } from './sandbox.settings.js';
import { createCertificateAuthority } from './server/certificate-authority.js';
import type { Platform, PlatformLoaders } from './server/http-adapter.js';
import { hostNames, urlOfListener } from './server/host-names.js';
import { Listeners } from './server/listeners.js';
import { createApplication } from './server/nest-application.js';
import { type TemplateKeys, templateKeysOf } from './transactions/template-keys.js';
import type { DeliveryLog } from './webhooks/delivery-log.js';
import { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';
import type { WebhookSecrets } from './webhooks/webhook.settings.js';

/** How to reach a sandbox that listens; the ready line of the CLI has the same keys. */
export interface BerbixSandboxReady {
  /** `http://127.0.0.1:PORT`, or the option `publicUrl`, without a slash at the end. */
  url: string;
  /** `https://127.0.0.1:PORT`, or the name of `publicUrl` there; only with the option `tls`. */
  tlsUrl?: string | undefined;
  /** Path of the PEM file of the authority behind `tlsUrl`; gone after `close()`. */
  ca?: string | undefined;
  /** The secret of test mode. */
  apiSecret: string;
  /** The secret of live mode. */
  liveApiSecret: string;
  templateKeys: TemplateKeys;
  /** What the webhooks are signed with, also those whose URL is set later. */
  webhookSecrets: WebhookSecrets;
}

/**
 * A local Berbix: the official SDKs and this package's client run against it unchanged. Everything
 * is in memory and ends with `close()`, unless there is a `dataDir`.
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
  readonly webhookSecrets: WebhookSecrets;
  /** What is sent to the application under test. */
  readonly webhooks: SandboxWebhooks;
  /** What was sent to it. */
  readonly deliveries: DeliveryLog;

  readonly #settings: SandboxSettings;
  readonly #kept: Pick<SandboxParts, 'signer' | 'transactions'>;
  readonly #address = new SandboxAddress();
  readonly #listeners: Listeners;
  readonly #player: FaultPlayer;
  /** What to undo when closing, last first. */
  readonly #undo: (() => Promise<void>)[] = [];
  #platform: Platform = 'express';
  #tls: { url: string; caPath: string } | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ settings, storage, signer }: Restored) {
    this.#settings = settings;
    this.#listeners = new Listeners(settings.host);
    this.#player = new FaultPlayer(this.#listeners.reset);
    this.#kept = { signer, transactions: storage.transactions };
    this.#undo.push(() => storage.close());
    this.apiSecret = settings.apiSecret;
    this.liveApiSecret = settings.liveApiSecret;
    this.templateKeys = templateKeysOf(settings.apiSecret);
    this.webhookSecrets = settings.webhooks.secrets;
    this.webhooks = new SandboxWebhooks(settings.webhooks, this.clock, storage.pendingWebhooks);
    this.deliveries = this.webhooks.deliveries;
    this.#undo.push(() => this.webhooks.close());
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
    const sandbox = new BerbixSandbox(await restore(options));
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

  /** How to reach it, as one object; what belongs to an option is there with that option only. */
  ready(): BerbixSandboxReady {
    const { url, apiSecret, liveApiSecret, templateKeys, webhookSecrets } = this;
    const tls = this.#tls && { tlsUrl: this.#tls.url, ca: this.#tls.caPath };
    return { url, ...tls, apiSecret, liveApiSecret, templateKeys, webhookSecrets };
  }

  /** What installs the page of the reference; `undefined` where it is there. @internal */
  commandForReference(): Promise<string | undefined> {
    return commandForReference(this.#platform);
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
    const { requests, faults, clock, webhooks } = this;
    const [settings, address] = [this.#settings, this.#address];
    const parts = { ...this.#kept, settings, requests, faults, clock, address, webhooks };
    const application = await createApplication(SandboxModule.register(parts), platforms);
    this.#undo.push(() => application.close());
    this.#platform = application.platform;
    const { listener } = new RequestPipeline(
      new RequestGate(new AllowedHosts(hostNames(settings))),
      requests,
      faults,
      this.#player,
      clock,
      application.listener,
    );
    this.#undo.push(() => this.#listeners.close());
    const port = await this.#listeners.listenHttp(settings.port, listener);
    address.url = settings.publicUrl ?? urlOfListener('http', settings, port);
    if (settings.tls) await this.#openTls(listener);
    await webhooks.resume();
  }

  async #openTls(listener: RequestPipeline['listener']): Promise<void> {
    const settings = this.#settings;
    const { caPath, server, remove } = await createCertificateAuthority(hostNames(settings));
    this.#undo.push(remove);
    const port = await this.#listeners.listenHttps(settings.tlsPort, server, listener);
    this.#tls = { url: urlOfListener('https', settings, port), caPath };
  }

  async #close(): Promise<void> {
    this.#player.close();
    for (const undo of this.#undo.toReversed()) await undo();
  }
}
