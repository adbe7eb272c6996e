import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** `CHROMIUM_PATH`, or the first that is on the PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env.CHROMIUM_PATH ?? found.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Message = Record<string, unknown>;

/** Messages of the DevTools protocol over a pipe: JSON, each with a NUL behind it. */
class Pipe extends EventEmitter {
  readonly #answers = new Map<unknown, (answer: Message) => void>();
  #sent = 0;
  #rest = '';

  constructor(
    private readonly output: Writable,
    input: Readable,
  ) {
    super();
    input.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (this.#rest + chunk).split('\0');
      this.#rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
    input.once('close', () => {
      for (const answer of this.#answers.values()) answer({ error: 'Chromium has ended.' });
    });
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<Message> {
    const id = (this.#sent += 1);
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    this.output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { error, result } = await answer;
    this.#answers.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Message;
  }

  #take(message: Message): void {
    const { id, method, params, sessionId } = message;
    if (id === undefined) this.emit(`${String(sessionId)} ${String(method)}`, params);
    else this.#answers.get(id)?.(message);
  }
}

/** Chromium without a window. */
export class Browser {
  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly pipe: Pipe,
  ) {}

  static async start(path: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'nestjs-berbix-browser-'));
    const flags = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-gpu'];
    // The sandbox of Chromium does not work for root, and /dev/shm is small in containers.
    const container = ['--no-sandbox', '--disable-dev-shm-usage'];
    const child = spawn(path, [...flags, ...quiet, ...container], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    await once(child, 'spawn');
    const [, , , output, input] = child.stdio;
    return new Browser(child, profile, new Pipe(output as Writable, input as Readable));
  }

  async open({ javaScript = true }: { javaScript?: boolean } = {}): Promise<Tab> {
    const { targetId } = await this.pipe.send('Target.createTarget', { url: 'about:blank' });
    const target = { targetId, flatten: true };
    const { sessionId } = await this.pipe.send('Target.attachToTarget', target);
    const tab = new Tab(this.pipe, String(sessionId));
    await tab.prepare(javaScript);
    return tab;
  }

  async close(): Promise<void> {
    const closed = once(this.child, 'close');
    await this.pipe.send('Browser.close');
    await closed;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** One tab, used as a person would: by the names that a screen reader says. */
export class Tab {
  /** What the console shows, and what the policy of the page has stopped. */
  readonly complaints: string[] = [];
  /** The address of every request. */
  readonly requests: string[] = [];

  constructor(
    private readonly pipe: Pipe,
    private readonly sessionId: string,
  ) {}

  /** Begins to listen. */
  async prepare(javaScript: boolean): Promise<void> {
    const complain = (message: Message) => this.complaints.push(JSON.stringify(message));
    for (const event of [
      'Runtime.consoleAPICalled',
      'Runtime.exceptionThrown',
      'Log.entryAdded',
      'Audits.issueAdded',
    ]) {
      this.#on(event, complain);
    }
    this.#on('Network.requestWillBeSent', ({ request }) => {
      this.requests.push((request as { url: string }).url);
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Audits', 'Network', 'DOM', 'Accessibility']) {
      await this.#send(`${domain}.enable`);
    }
    await this.#send('Emulation.setScriptExecutionDisabled', { value: !javaScript });
  }

  async visit(url: string): Promise<void> {
    await this.#loaded(() => this.#send('Page.navigate', { url }));
  }

  /** Presses a button or follows a link with the mouse, and waits for the page that comes. */
  async press(name: string): Promise<void> {
    const backendNodeId = await this.#find(name);
    await this.#send('DOM.scrollIntoViewIfNeeded', { backendNodeId });
    const { quads } = await this.#send('DOM.getContentQuads', { backendNodeId });
    const [left = 0, top = 0, , , right = 0, bottom = 0] = (quads as number[][])[0] ?? [];
    const at = { x: (left + right) / 2, y: (top + bottom) / 2, button: 'left', clickCount: 1 };
    await this.#loaded(async () => {
      for (const type of ['mousePressed', 'mouseReleased']) {
        await this.#send('Input.dispatchMouseEvent', { type, ...at });
      }
    });
  }

  /** Presses a button with the keyboard, for a script: no other page comes, and it may move about. */
  async activate(name: string): Promise<void> {
    await this.#send('DOM.focus', { backendNodeId: await this.#find(name) });
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 };
    await this.#send('Input.dispatchKeyEvent', { type: 'keyDown', text: '\r', ...key });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  /** Waits until the page is so; a test of one that never is fails by Jest's own limit. */
  async until(holds: (outline: string[]) => boolean): Promise<void> {
    while (!holds(await this.outline())) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Types into the field with this label. */
  async type(name: string, text: string): Promise<void> {
    await this.#send('DOM.focus', { backendNodeId: await this.#find(name) });
    await this.#send('Input.insertText', { text });
  }

  /** What a screen reader finds, as `role: name`. */
  async outline(): Promise<string[]> {
    return (await this.#nodes()).map(({ role, name }) => `${role?.value}: ${name?.value}`);
  }

  /** The computed value of a style. */
  async style(selector: string, property: string): Promise<string | undefined> {
    const { root } = await this.#send('DOM.getDocument');
    const { nodeId } = await this.#send('DOM.querySelector', {
      nodeId: (root as { nodeId: number }).nodeId,
      selector,
    });
    await this.#send('CSS.enable');
    const { computedStyle } = await this.#send('CSS.getComputedStyleForNode', { nodeId });
    const styles = computedStyle as { name: string; value: string }[];
    return styles.find(({ name }) => name === property)?.value;
  }

  /** Where it is, after all redirects. */
  async address(): Promise<string> {
    const { currentIndex, entries } = await this.#send('Page.getNavigationHistory');
    return (entries as { url: string }[])[currentIndex as number]?.url ?? '';
  }

  async #find(name: string): Promise<number> {
    const node = (await this.#nodes()).find(
      (candidate) => candidate.name?.value === name && ROLES.has(candidate.role?.value ?? ''),
    );
    if (!node) throw new Error(`There is no ${name} among ${(await this.outline()).join(', ')}`);
    return node.backendDOMNodeId;
  }

  async #nodes(): Promise<AccessibleNode[]> {
    const { nodes } = await this.#send('Accessibility.getFullAXTree');
    return (nodes as AccessibleNode[]).filter(({ ignored }) => !ignored);
  }

  async #loaded(action: () => Promise<unknown>): Promise<void> {
    const loaded = once(this.pipe, `${this.sessionId} Page.loadEventFired`);
    await action();
    await loaded;
  }

  #on(event: string, listener: (params: Message) => void): void {
    this.pipe.on(`${this.sessionId} ${event}`, listener);
  }

  #send(method: string, params?: object): Promise<Message> {
    return this.pipe.send(method, params, this.sessionId);
  }
}

interface AccessibleNode {
  ignored: boolean;
  backendDOMNodeId: number;
  role?: { value: string };
  name?: { value: string };
}

/** What can be used. */
const ROLES = new Set(['button', 'link', 'textbox']);
