import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevToolsPipe } from './devtools-pipe.js';
import { Tab } from './tab.js';

export interface TabOptions {
  javaScript?: boolean;
}

/** Chromium without a window. */
export class Browser {
  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly pipe: DevToolsPipe,
  ) {}

  static async start(path: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'nestjs-berbix-browser-'));
    const flags = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
    const quiet = [
      '--no-first-run',
      '--disable-background-networking',
      '--disable-gpu',
      '--hide-scrollbars',
      // No page lives long enough to be worth it.
      '--js-flags=--no-opt',
    ];
    // The sandbox of Chromium does not work for root, and /dev/shm is small in containers.
    const container = ['--no-sandbox', '--disable-dev-shm-usage'];
    // Frames of other sites stay in the process of their tab, where `Tab` sees them.
    const frames = '--disable-site-isolation-trials';
    // Pages write times in the language of the browser. Chromium on Linux reads the variable instead.
    const language = '--lang=en-US';
    const child = spawn(path, [...flags, ...quiet, ...container, frames, language], {
      env: { ...process.env, LANGUAGE: 'en_US' },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    await once(child, 'spawn');
    const [, , , output, input] = child.stdio as unknown as [null, null, null, Socket, Socket];
    const browser = new Browser(child, profile, new DevToolsPipe(output, input));
    // It does not keep this process running, and does not outlive it.
    for (const part of [child, output, input]) part.unref();
    process.once('exit', () => browser.close());
    return browser;
  }

  /** False after a crash, too: of the browser, or of a page. */
  get isOpen(): boolean {
    return this.pipe.isOpen;
  }

  /** A profile that shares nothing with the others: cookies, storage and cache of one test. */
  async createProfile(): Promise<string> {
    const { browserContextId } = await this.pipe.send('Target.createBrowserContext');
    return String(browserContextId);
  }

  /** Closes all tabs of the profile, too. */
  async removeProfile(browserContextId: string): Promise<void> {
    await this.pipe.send('Target.disposeBrowserContext', { browserContextId });
  }

  async open(browserContextId: string, { javaScript = true }: TabOptions = {}): Promise<Tab> {
    const page = { url: 'about:blank', browserContextId };
    const { targetId } = await this.pipe.send('Target.createTarget', page);
    const target = { targetId, flatten: true };
    const { sessionId } = await this.pipe.send('Target.attachToTarget', target);
    const tab = new Tab(this.pipe, String(sessionId));
    await tab.prepare(javaScript);
    return tab;
  }

  /** Ends it at once, even if it hangs. */
  close(): void {
    this.child.kill('SIGKILL');
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}
