import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { closeAfterTest } from '../../support/closing.js';

/** What happens to data in both directions. */
export type GateState = 'open' | 'refusing' | 'silent' | 'slow';

/** Milliseconds in each direction. */
const SLOW_MS = 100;

/**
 * A TCP proxy to a server that can be cut, silent or slow. A silent gate loses nothing: when it opens
 * again, everything arrives, as with TCP.
 */
export class Gate {
  #state: GateState = 'open';
  readonly #sockets = new Set<Socket>();
  /** Data that waits for the gate to open. */
  #held: (() => void)[] = [];
  #port = 0;

  private constructor(private readonly target: { host: string; port: number }) {}

  /** Starts a gate in front of the server at this URL, for one test. */
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

  /** Keeps the order of the data. */
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
