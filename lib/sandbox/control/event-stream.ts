import type { ServerResponse } from 'node:http';
import { type ApiJson, toApiJson } from '../http/api-json.js';
import type { EventFeed } from './event-feed.js';
import type { Redact } from './redaction.js';
import { presentEvent } from './sandbox-event.js';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would wait for more otherwise.
  'x-accel-buffering': 'no',
};

/** In real time: shorter than the idle timeout of usual proxies. */
const HEARTBEAT_MS = 15_000;

/** Of events in one write, so that little waits for a client that has stopped to read. */
const MAX_AT_ONCE = 64;

/**
 * The events for one client. [HTML section 9.2]
 *
 * It writes while the client reads, and otherwise waits. A client that is so slow that the feed no
 * longer has its next event is disconnected; when it comes back, its snapshot says that it has
 * missed events.
 */
export class EventStream {
  /** The number of the last event that was sent. */
  #sent = 0;
  #isFull = false;
  #isScheduled = false;

  constructor(
    private readonly feed: EventFeed,
    private readonly response: ServerResponse,
    private readonly redact: Redact,
  ) {}

  /**
   * Sends the snapshot, what was missed since the last event, and what happens from now on.
   *
   * @param lastId is the id of the last event that the client got, if it has
   */
  start(lastId: string | undefined, snapshot: { readonly [name: string]: ApiJson }): void {
    const { feed, response } = this;
    const resumed = lastId === undefined ? undefined : feed.numberOf(lastId);
    this.#sent = resumed ?? feed.last;
    const sendSoon = (): void => this.#sendSoon();
    feed.changes.on('change', sendSoon);
    const heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    response.once('close', () => {
      feed.changes.off('change', sendSoon);
      clearInterval(heartbeat);
    });
    response.on('drain', () => {
      this.#isFull = false;
      this.#sendNext();
    });
    response.writeHead(200, HEADERS);
    const content = { run: feed.run, resumed: resumed !== undefined, ...snapshot };
    this.#isFull = !response.write(this.#textOf('snapshot', content));
    this.#sendNext();
  }

  /** Events that come together leave together, since each write is a call of the system. */
  #sendSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    while (!this.response.destroyed && this.#sent < this.feed.last) {
      if (!this.feed.at(this.#sent + 1)) {
        this.response.destroy();
        return;
      }
      if (this.#isFull) return;
      let text = '';
      const end = Math.min(this.feed.last, this.#sent + MAX_AT_ONCE);
      for (let event; (event = this.feed.at(this.#sent + 1)) && this.#sent < end;) {
        this.#sent = event.number;
        text += this.#textOf(event.event.kind, presentEvent(event.event));
      }
      this.#isFull = !this.response.write(text);
    }
  }

  /** A comment, so that proxies and clients do not take a quiet stream for a broken one. */
  #beat(): void {
    if (!this.#isFull) this.#isFull = !this.response.write(':\n\n');
  }

  /** JSON has no line breaks, which would end the data. */
  #textOf(kind: string, data: ApiJson): string {
    const id = this.feed.idOf(this.#sent);
    return `id: ${id}\nevent: ${kind}\ndata: ${toApiJson(this.redact(data))}\n\n`;
  }
}
