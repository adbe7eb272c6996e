import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { closeAfterTest } from '../support/services.js';

/** What happens to what comes and goes. */
export type GateState = 'open' | 'refusing' | 'silent' | 'slow';

/** On the way there and on the way back, in milliseconds. */
const SLOW_MS = 100;

/**
 * The way to a server, over TCP, which can be cut, go dead or be slow. What is silent loses nothing: once the gate
 * opens again, everything arrives, as TCP has it.
 */
export class Gate {
  #state: GateState = 'open';
  readonly #sockets = new Set<Socket>();
  /** What waits for the gate to open. */
  #held: (() => void)[] = [];
  #port = 0;

  private constructor(private readonly target: { host: string; port: number }) {}

  /** In front of the server of this URL, for one test. */
  static async start(url: string): Promise<Gate> {
    const { hostname, port } = new URL(url);
    const gate = new Gate({ host: hostname, port: Number(port) });
    const server = createServer((socket) => gate.#admit(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    gate.#port = (server.address() as AddressInfo).port;
    closeAfterTest(async () => {
      gate.#cut();
      await new Promise((resolve) => server.close(resolve));
    });
    return gate;
  }

  /** The URL of the server, through the gate. */
  through(url: string): string {
    const changed = new URL(url);
    changed.host = `127.0.0.1:${this.#port}`;
    return changed.href;
  }

  set(state: GateState): void {
    this.#state = state;
    if (state === 'refusing') this.#cut();
    else if (state !== 'silent') for (const pass of this.#held.splice(0)) pass();
  }

  #admit(socket: Socket): void {
    if (this.#state === 'refusing') {
      socket.on('error', () => {}).resetAndDestroy();
      return;
    }
    const server = connect(this.target);
    this.#lead(socket, server);
    this.#lead(server, socket);
  }

  /** One direction of a connection. */
  #lead(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on('data', (chunk) => this.#pass(() => to.destroyed || to.write(chunk)));
  }

  /** In the order in which they came. */
  #pass(pass: () => void): void {
    if (this.#state === 'silent') this.#held.push(pass);
    else if (this.#state === 'slow') setTimeout(pass, SLOW_MS);
    else pass();
  }

  #cut(): void {
    this.#held = [];
    for (const socket of this.#sockets) socket.destroy();
  }
}
