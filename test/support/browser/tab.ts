import { once } from 'node:events';
import type { DevToolsPipe, Message } from './devtools-pipe.js';
import { untilAnswer, within } from './within.js';

/** One tab, used like a person does: by the names that a screen reader announces. */
export class Tab {
  /** Messages of the console, and violations of the page's security policy. */
  readonly complaints: string[] = [];
  /** The address of every request. */
  readonly requests: string[] = [];

  constructor(
    private readonly pipe: DevToolsPipe,
    private readonly sessionId: string,
  ) {}

  /** Starts to listen. */
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
      const { url } = request as { url: string };
      // The browser's own icons in inputs are data.
      if (!url.startsWith('data:')) this.requests.push(url);
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Audits', 'Network', 'DOM', 'Accessibility']) {
      await this.#send(`${domain}.enable`);
    }
    await this.#send('Emulation.setScriptExecutionDisabled', { value: !javaScript });
  }

  async visit(url: string): Promise<void> {
    await this.#loaded(() => this.#send('Page.navigate', { url }));
  }

  /** Presses a button or follows a link with the mouse, and waits for the next page. */
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

  /** Presses a button by script, wherever it has moved to; the page stays. */
  async activate(name: string): Promise<void> {
    await this.#do(name, 'function () { this.click(); return true; }');
  }

  /** Waits until a screen reader finds this, as `role: name`. It takes less time than an outline. */
  shows(line: string): Promise<void> {
    const [role = '', name = ''] = line.split(/: (.*)/s);
    return untilAnswer(
      () => this.#query({ accessibleName: name }),
      (nodes) => nodes.some((node) => node.role?.value === role),
      async () => `There is no ${line} among ${await this.#all()}`,
    );
  }

  /** Waits until the page satisfies a condition. */
  until(holds: (outline: string[]) => boolean): Promise<void> {
    const describe = (outline: string[]): string => `It is still so: ${outline.join(', ')}`;
    return untilAnswer(() => this.outline(), holds, describe);
  }

  /** Types into the field with this label, in the place of what it holds. */
  async type(name: string, text: string): Promise<void> {
    await this.#do(
      name,
      'function () { this.focus(); this.select(); return document.activeElement === this; }',
    );
    await this.#send('Input.insertText', { text });
    await this.#do(name, `function () { return this.value === ${JSON.stringify(text)}; }`);
  }

  /** Presses a key, such as `ArrowRight`, for what has the focus. */
  async pressKey(key: string): Promise<void> {
    const text = key === 'Enter' && { text: '\r' };
    await this.#send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', key });
  }

  /** Gives the focus to an element. */
  async focus(name: string): Promise<void> {
    await this.#do(name, 'function () { this.focus(); return document.activeElement === this; }');
  }

  /** The name of what has the focus. */
  async focused(): Promise<string | undefined> {
    const active = { expression: 'document.activeElement' };
    const { result } = await this.#send('Runtime.evaluate', active);
    const { objectId } = result as { objectId: string };
    const found = { objectId, fetchRelatives: false };
    const { nodes } = await this.#send('Accessibility.getPartialAXTree', found);
    return (nodes as AccessibleNode[])[0]?.name?.value;
  }

  /** Chooses an option, by its text, of the list with this label. */
  async choose(name: string, option: string): Promise<void> {
    await this.#do(
      name,
      `function () {
        const option = [...this.options].find(({ text }) => text === ${JSON.stringify(option)});
        if (!option) return false;
        this.value = option.value;
        this.dispatchEvent(new Event('change', { bubbles: true }));
        return true;
      }`,
    );
  }

  /** Gives a file to the field with this label. */
  async upload(name: string, path: string): Promise<void> {
    // A query finds such a field by its role only.
    const backendNodeId = await this.#find(name, { role: 'button' });
    await this.#send('DOM.setFileInputFiles', { backendNodeId, files: [path] });
  }

  /** What a screen reader finds, as `role: name`, in the page and its frames. */
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

  /** What pages with a color scheme of their own ask for. */
  async prefer(colorScheme: 'light' | 'dark'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: colorScheme }];
    await this.#send('Emulation.setEmulatedMedia', { features });
  }

  /** The size of the window, in CSS pixels. */
  async resize(width: number, height: number): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#send('Emulation.setDeviceMetricsOverride', metrics);
  }

  /** What the window shows, as a PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#send('Page.captureScreenshot');
    return Buffer.from(String(data), 'base64');
  }

  /** The value of an expression in the page, which must survive JSON; waits for a promise. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }

  /** The current address, after all redirects. */
  async address(): Promise<string> {
    const { currentIndex, entries } = await this.#send('Page.getNavigationHistory');
    return (entries as { url: string }[])[currentIndex as number]?.url ?? '';
  }

  /** Calls a function on an element until the element exists and the function succeeds. */
  #do(name: string, functionDeclaration: string): Promise<void> {
    // A script may have replaced the element since it was found.
    const attempt = (): Promise<string> =>
      this.#call(name, functionDeclaration).catch((error: Error) => error.message);
    return untilAnswer(
      attempt,
      (answer) => answer === 'true',
      async (answer) => `${name} could not be used: ${answer}, among ${await this.#all()}`,
    );
  }

  async #call(name: string, functionDeclaration: string): Promise<string> {
    const backendNodeId = await this.#look(name);
    if (backendNodeId === undefined) return 'it is not there';
    const { object } = await this.#send('DOM.resolveNode', { backendNodeId });
    const { result } = await this.#send('Runtime.callFunctionOn', {
      objectId: (object as { objectId: string }).objectId,
      userGesture: true,
      functionDeclaration: `function () { return this.isConnected && (${functionDeclaration}).call(this); }`,
    });
    return String((result as { value?: unknown }).value);
  }

  async #find(name: string, query?: AccessibleQuery): Promise<number> {
    const found = await this.#look(name, query);
    if (found === undefined) throw new Error(`There is no ${name} among ${await this.#all()}`);
    return found;
  }

  async #look(name: string, query?: AccessibleQuery): Promise<number | undefined> {
    const node = (await this.#query(query ?? { accessibleName: name })).find(
      (candidate) => candidate.name?.value === name && ROLES.has(candidate.role?.value ?? ''),
    );
    return node?.backendDOMNodeId;
  }

  async #all(): Promise<string> {
    return (await this.outline()).join(', ');
  }

  async #nodes(): Promise<AccessibleNode[]> {
    return this.#inFrames((frameId) => this.#send('Accessibility.getFullAXTree', { frameId }));
  }

  async #query(query: AccessibleQuery): Promise<AccessibleNode[]> {
    return this.#inFrames(async (frameId) => {
      const { node } = await this.#send('Accessibility.getRootAXNode', { frameId });
      const backendNodeId = (node as AccessibleNode).backendDOMNodeId;
      return this.#send('Accessibility.queryAXTree', { backendNodeId, ...query });
    });
  }

  async #inFrames(ask: (frameId: string) => Promise<Message>): Promise<AccessibleNode[]> {
    const { frameTree } = await this.#send('Page.getFrameTree');
    const nodes: AccessibleNode[] = [];
    for (const frameId of framesIn(frameTree as FrameTree)) {
      // It may have gone meanwhile.
      const answer = await ask(frameId).catch(() => ({}));
      nodes.push(...((answer as { nodes?: AccessibleNode[] }).nodes ?? []));
    }
    return nodes.filter(({ ignored }) => !ignored);
  }

  async #loaded(action: () => Promise<unknown>): Promise<void> {
    const loaded = once(this.pipe, `${this.sessionId} Page.loadEventFired`);
    await action();
    await within('A page that comes', loaded);
  }

  #on(event: string, listener: (params: Message) => void): void {
    this.pipe.on(`${this.sessionId} ${event}`, listener);
  }

  #send(method: string, params?: object): Promise<Message> {
    return this.pipe.send(method, params, this.sessionId);
  }
}

interface FrameTree {
  frame: { id: string };
  childFrames?: FrameTree[];
}

/** The ids of a frame and all frames in it. */
function framesIn({ frame, childFrames = [] }: FrameTree): string[] {
  return [frame.id, ...childFrames.flatMap(framesIn)];
}

interface AccessibleQuery {
  accessibleName?: string;
  role?: string;
}

interface AccessibleNode {
  ignored: boolean;
  backendDOMNodeId: number;
  role?: { value: string };
  name?: { value: string };
}

/** Whether an element can be used. */
const ROLES = new Set([
  'button',
  'checkbox',
  'combobox',
  'DisclosureTriangle',
  'link',
  'searchbox',
  'spinbutton',
  'tab',
  'textbox',
]);
