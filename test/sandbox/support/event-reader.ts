import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { until } from '../../support/until.js';
import type { RawClient } from './raw-client.js';

/** A server-sent event. */
export interface SentEvent {
  id: string;
  kind: string;
  data: Record<string, unknown>;
}

/** Reads `/sandbox/events`. */
export class EventReader {
  readonly events: SentEvent[] = [];
  heartbeats = 0;
  ended = false;
  #rest = '';

  private constructor(
    readonly call: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#read(chunk));
    // An end without a last chunk is an error, too.
    response.on('error', () => undefined);
    response.on('close', () => (this.ended = true));
  }

  /** Resolves with the head of the answer. */
  static async open(client: RawClient, lastId?: string, query = ''): Promise<EventReader> {
    const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
    const call = client.open('GET', `/sandbox/events${query}`, { headers });
    call.on('error', () => undefined);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    return new EventReader(call, response);
  }

  /** Once there is one that matches, everything so far. */
  async until(kind: string, matches: Record<string, unknown> = {}): Promise<SentEvent[]> {
    const isWanted = (event: SentEvent) =>
      event.kind === kind &&
      Object.entries(matches).every(([name, value]) => event.data[name] === value);
    await until(() => this.events.some(isWanted));
    return this.events;
  }

  close(): void {
    this.call.destroy();
  }

  #read(chunk: string): void {
    this.#rest += chunk;
    // The end of an event; to look for it in all the chunks of a large one would take long.
    if (!chunk.includes('\n')) return;
    const blocks = this.#rest.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block === ':') {
        this.heartbeats += 1;
        continue;
      }
      const [, id = '', kind = '', data = ''] =
        /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      this.events.push({ id, kind, data: JSON.parse(data) as Record<string, unknown> });
    }
  }
}
