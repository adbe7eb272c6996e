import type { RequestListener } from 'node:http';
import { TokenReader } from './auth/tokens.js';
import { SandboxAddress } from './auth/signed-links.js';
import { SandboxClock } from './clock.js';
import { FaultPlayer } from './faults/fault-player.js';
import { SandboxFaults } from './faults/sandbox-faults.js';
import { SandboxEvents } from './control/sandbox-events.js';
import { SandboxStateService } from './control/sandbox-state.service.js';
import { SandboxTransactions } from './control/sandbox-transactions.js';
import { createApplication, type PlatformLoaders } from './http/application.js';
import { createCertificateAuthority } from './http/certificate-authority.js';
import { hostNames, Listeners, urlOfListener } from './http/listeners.js';
import { RequestGate } from './http/request-gate.js';
import { RequestLog } from './http/request-log.js';
import { swaggerCommand } from './openapi/swagger-ui.js';
import type { BerbixSandboxOptions } from './options.js';
import { RequestPipeline } from './request-pipeline.js';
import { SandboxModule, type SandboxParts } from './sandbox.module.js';
import type { SandboxSettings, WebhookSecrets } from './settings.js';
import { ExchangeLog } from './tokens/exchange-log.js';
import { restore, type Restored } from './storage/restore.js';
import type { SandboxState } from './storage/state-document.js';
import { type TemplateKeys, templateKeysOf } from './transactions/templates.js';
import type { DeliveryLog } from './webhooks/delivery-log.js';
import { SandboxWebhooks } from './webhooks/sandbox-webhooks.js';

/** How to reach a sandbox; the line of `--json` has the same keys. */
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
  /** The secrets that sign the webhooks. */
  webhookSecrets: WebhookSecrets;
}

/**
 * A local Berbix: the official SDKs and this package's client run against it unchanged. Everything
 * is in memory and ends with `close()`, except with the option `dataDir`.
 *
 * @example
 * const sandbox = await BerbixSandbox.start({ refreshToken: 'rotate' });
 * const client = BerbixModule.forRoot({ apiHost: sandbox.url, apiSecret: sandbox.apiSecret });
 * sandbox.faults.add({ kind: 'status', status: 503 });
 * sandbox.clock.advance(3_600_000);
 * await sandbox.close();
 */
export class BerbixSandbox implements BerbixSandboxReady, AsyncDisposable {
  /** The requests so far. */
  readonly requests = new RequestLog();
  /** The clock of the sandbox, which tests can move. */
  readonly clock = new SandboxClock();
  /** The pending faults. */
  readonly faults = new SandboxFaults(this.clock);

  readonly apiSecret: string;
  readonly liveApiSecret: string;
  readonly templateKeys: TemplateKeys;
  readonly webhookSecrets: WebhookSecrets;
  /** The webhooks to the application under test. */
  readonly webhooks: SandboxWebhooks;
  /** The webhooks so far. */
  readonly deliveries: DeliveryLog;

  readonly #settings: SandboxSettings;
  readonly #stored: Pick<SandboxParts, 'signer' | 'storage' | 'exchanges'>;
  readonly #address = new SandboxAddress();
  readonly #listeners: Listeners;
  readonly #player: FaultPlayer;
  /** The steps of closing, last one first. */
  readonly #closers: (() => Promise<void>)[] = [];
  #transactions!: SandboxTransactions;
  #state!: SandboxStateService;
  #events!: SandboxEvents;
  #caPath: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ settings, storage, signer }: Restored) {
    this.#settings = settings;
    this.#listeners = new Listeners(settings.host);
    this.#player = new FaultPlayer(this.#listeners.reset);
    const exchanges = new ExchangeLog(new TokenReader(signer), this.requests);
    this.#stored = { signer, storage, exchanges };
    this.#closers.push(() => storage.close());
    this.apiSecret = settings.apiSecret;
    this.liveApiSecret = settings.liveApiSecret;
    this.templateKeys = templateKeysOf(settings.apiSecret);
    this.webhookSecrets = settings.webhooks.secrets;
    this.webhooks = new SandboxWebhooks(settings.webhooks, this.clock, storage.pendingWebhooks);
    this.deliveries = this.webhooks.deliveries;
    this.#closers.push(() => this.webhooks.close());
  }

  /**
   * Starts a sandbox; resolves when it accepts requests.
   *
   * @throws {SandboxOptionError} for an invalid option, such as a port that is in use
   * @throws {Error} if a package is missing; the message says how to install it
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
    return this.#address.tlsUrl;
  }

  get ca(): string | undefined {
    return this.#caPath;
  }

  /** The URL over HTTP on this machine. @internal */
  get localUrl(): string {
    return this.#address.localUrl;
  }

  /** The transactions that exist. */
  get transactions(): SandboxTransactions {
    return this.#transactions;
  }

  /** How to reach the sandbox, as one object. */
  ready(): BerbixSandboxReady {
    const { url, tlsUrl, ca, apiSecret, liveApiSecret, templateKeys, webhookSecrets } = this;
    const tls = tlsUrl !== undefined && { tlsUrl, ca };
    return { url, ...tls, apiSecret, liveApiSecret, templateKeys, webhookSecrets };
  }

  /** The command that installs the page at `/reference`; undefined if it is installed. @internal */
  get referenceCommand(): string | undefined {
    return swaggerCommand();
  }

  /** What happens, for tests that wait for it. */
  get events(): SandboxEvents {
    return this.#events;
  }

  /**
   * Its transactions, the clock, and the key of their tokens, as one JSON document. It holds secrets.
   * The API secrets, webhooks and logs are not part of it.
   */
  exportState(): Promise<SandboxState> {
    return this.#state.export();
  }

  /**
   * Replaces its transactions, the clock and the key of the tokens, and forgets requests, deliveries
   * and faults. Tokens that were issued before the export work here, with the API secret of this
   * sandbox.
   *
   * @throws {Error} if it is not a state that this version can read; nothing changes then
   */
  importState(state: SandboxState): Promise<void> {
    return this.#state.import(state);
  }

  /**
   * Removes all transactions, requests, deliveries and faults, gives up webhooks that are on their
   * way, and returns the clock to the real time. The options and the URLs of webhooks stay.
   */
  reset(): Promise<void> {
    return this.#state.reset();
  }

  /** Closes all connections, including those that wait for an answer. Can be called repeatedly. */
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
    const parts = { ...this.#stored, settings, requests, faults, clock, address, webhooks };
    const application = await createApplication(SandboxModule.register(parts), platforms);
    this.#closers.push(() => application.close());
    this.#transactions = application.get(SandboxTransactions);
    this.#state = application.get(SandboxStateService);
    this.#events = application.get(SandboxEvents);
    const { listener } = new RequestPipeline(
      new RequestGate(hostNames(settings)),
      requests,
      faults,
      this.#player,
      clock,
      application.listener,
    );
    this.#closers.push(() => this.#listeners.close());
    const port = await this.#listeners.listenHttp(settings.port, listener);
    address.localUrl = urlOfListener('http', { ...settings, publicUrl: undefined }, port);
    address.url = settings.publicUrl ?? address.localUrl;
    if (settings.tls) await this.#openTls(listener);
    await webhooks.resume();
  }

  async #openTls(listener: RequestListener): Promise<void> {
    const settings = this.#settings;
    const { caPath, server, remove } = await createCertificateAuthority(hostNames(settings));
    this.#closers.push(remove);
    const port = await this.#listeners.listenHttps(settings.tlsPort, server, listener);
    this.#caPath = caPath;
    this.#address.tlsUrl = urlOfListener('https', settings, port);
  }

  async #close(): Promise<void> {
    this.#player.close();
    for (const close of this.#closers.toReversed()) await close();
  }
}
